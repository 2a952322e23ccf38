"""What is slow is done once: a drawn dataset, one small training of each stage, and the bundle of both."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from data.datasets.catalog import load_dataset
from data.drawing.dataset import synthesize_dataset

if hasattr(signal, "SIGHUP"):
    signal.signal(
        signal.SIGHUP, signal.SIG_DFL
    )  # under nohup it is ignored, in every process that a test starts, too
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """A function (name, what makes a folder) -> the folder, which the first worker makes and all of them read."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name: str, make: Callable[[Path], object]) -> Path:
        folder, made = shared / name, shared / f"{name}.made"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(shared / f"{name}.lock"):
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                made.touch()
        return folder

    return get


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the models that tests make out of the user's memory of models that were tried."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESION_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def drawn_catalog(made_once) -> pd.DataFrame:
    """Forty-two drawn images of all seven classes, with their masks."""

    def make(folder: Path) -> None:
        synthesize_dataset(folder, count=42, seed=1, size=(96, 128))

    return load_dataset(made_once("drawn/dataset", make))


@contextmanager
def quick_averages() -> Iterator[None]:
    """Let the averages of batch normalisation keep up with a training of a few dozen steps."""
    pytest.importorskip("tensorflow")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MOMENTUM", "LEAST_MOMENTUM"):
            patch.setattr(f"segmentation.engine.normalization.{name}", 0.7)
        yield


@pytest.fixture(scope="session")
def segmentation_config():
    from segmentation.config import SegmentationConfig  # noqa: PLC0415

    return SegmentationConfig(
        input_size=(32, 64),
        small_epochs=0,
        epochs=8,
        batch_size=8,
        learning_rate=5e-3,
        augmentation="light",
        encoder_weights=None,
        decoder_filters=(16, 8, 8, 4, 4),
    )


@pytest.fixture(scope="session")
def segmentation_run(drawn_catalog, segmentation_config, made_once):
    """A small segmentation run, whose model finds most of the drawn lesions."""
    from segmentation.engine.run_folder import open_run  # noqa: PLC0415
    from segmentation.training import train  # noqa: PLC0415

    def make(folder: Path) -> None:
        with quick_averages():
            train(drawn_catalog, segmentation_config, folder)

    return open_run(made_once("runs/segmentation", make), "segmentation")


@pytest.fixture(scope="session")
def classification_config():
    from classification.config import ClassificationConfig  # noqa: PLC0415

    return ClassificationConfig(
        view="crop",
        input_side=64,
        small_side=32,
        width=0.35,
        head_epochs=1,
        small_epochs=0,
        epochs=3,
        batch_size=8,
        learning_rate=2e-3,
        augmentation="light",
        encoder_weights=None,
    )


@pytest.fixture(scope="session")
def classification_run(drawn_catalog, classification_config, segmentation_run, made_once):
    """A small classification run on crops around what the segmentation run finds."""
    from classification.training import train  # noqa: PLC0415
    from segmentation.engine.run_folder import open_run  # noqa: PLC0415
    from segmentation.locating import RunLocator  # noqa: PLC0415

    def make(folder: Path) -> None:
        with quick_averages():
            train(drawn_catalog, classification_config, folder, segmentation=RunLocator(segmentation_run))

    return open_run(made_once("runs/classification", make), "classification")


@pytest.fixture(scope="session")
def trained_bundle(segmentation_run, classification_run, made_once) -> Path:
    """The bundle of both runs, in float32."""
    from pipeline.export.exporting import export  # noqa: PLC0415

    return made_once("bundles/drawn", lambda folder: export(segmentation_run, classification_run, folder))
