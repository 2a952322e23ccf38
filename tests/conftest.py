"""What is slow is done once: a drawn dataset, one small training of each stage, and the bundle of both."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from data.datasets.catalog import load_dataset
from data.drawing.dataset import synthesize_dataset

if hasattr(signal, "SIGHUP"):
    signal.signal(
        signal.SIGHUP, signal.SIG_DFL
    )  # under nohup it is ignored, in every process that a test starts, too
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the models that tests make out of the user's memory of models that were tried."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESION_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def drawn_catalog(tmp_path_factory) -> pd.DataFrame:
    """Forty-two drawn images of all seven classes, with their masks."""
    folder = tmp_path_factory.mktemp("drawn") / "dataset"
    synthesize_dataset(folder, count=42, seed=1, size=(96, 128))
    return load_dataset(folder)


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
def segmentation_run(drawn_catalog, segmentation_config, tmp_path_factory):
    """A small segmentation run, whose model finds most of the drawn lesions."""
    from segmentation.engine.run_folder import open_run  # noqa: PLC0415
    from segmentation.training import train  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("runs") / "segmentation"
    with quick_averages():
        train(drawn_catalog, segmentation_config, folder)
    return open_run(folder, "segmentation")


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
def classification_run(drawn_catalog, classification_config, segmentation_run, tmp_path_factory):
    """A small classification run on crops around what the segmentation run finds."""
    from classification.training import train  # noqa: PLC0415
    from segmentation.engine.run_folder import open_run  # noqa: PLC0415
    from segmentation.locating import RunLocator  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("runs") / "classification"
    with quick_averages():
        train(drawn_catalog, classification_config, folder, segmentation=RunLocator(segmentation_run))
    return open_run(folder, "classification")


@pytest.fixture(scope="session")
def trained_bundle(segmentation_run, classification_run, tmp_path_factory) -> Path:
    """The bundle of both runs, in float32."""
    from pipeline.export.exporting import export  # noqa: PLC0415

    return export(segmentation_run, classification_run, tmp_path_factory.mktemp("bundles") / "drawn").folder
