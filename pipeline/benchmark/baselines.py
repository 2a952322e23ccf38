"""The baselines: software that people use for the same work, where it is installed."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pipeline.benchmark import effects, keras_baseline
from pipeline.benchmark.baseline_work import Sizes
from pipeline.benchmark.processes import python_module


@dataclass(frozen=True)
class Baseline:
    """Software that does the same work.

    Attributes
    ----------
    name : str
    module : str
        Does the work as a process.
    way : str
        How that calls the networks.
    needs : names of the packages to import
    whole_processes : bool
        Whether its start and a folder are timed, too, and not only single images.
    """

    name: str
    module: str
    way: str
    needs: Sequence[str]
    whole_processes: bool = True

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [package for package in self.needs if find_spec(package) is None]

    def command(self, folder: Path, sizes: Sizes, count: int = 0) -> list[str]:
        """The command that times `count` single images, or with 0 predicts the folder in batches."""
        options = ["--way", self.way, "--count", count]
        return python_module(self.module, folder, *sizes.as_arguments(), *options)


_KERAS = ("pipeline.benchmark.keras_baseline", ("tensorflow", "segmentation_models"))
_TORCH_PACKAGES = ("torch", "torchvision", "segmentation_models_pytorch")

BASELINES = (
    Baseline(effects.PREDICT, _KERAS[0], keras_baseline.PREDICT, _KERAS[1]),
    Baseline(effects.FUNCTION, _KERAS[0], keras_baseline.FUNCTION, _KERAS[1], whole_processes=False),
    Baseline(
        effects.DEFAULT_DECODER, _KERAS[0], keras_baseline.DEFAULT_DECODER, _KERAS[1], whole_processes=False
    ),
    Baseline(effects.TORCH, "pipeline.benchmark.torch_baseline", "", _TORCH_PACKAGES),
)


@dataclass(frozen=True)
class OtherBundle:
    """Lesion itself with another bundle, measured as a `Baseline` is."""

    name: str
    folder: Path
    whole_processes: bool = True

    def command(self, folder: Path, sizes: Sizes, count: int = 0) -> list[str]:
        """As `Baseline.command`; one image and the folder are predicted as `lesion predict` does."""
        if count > 1:
            return python_module("pipeline.benchmark.single_images", folder, self.folder, count)
        return python_module("pipeline.cli", "predict", folder, "--bundle", self.folder)
