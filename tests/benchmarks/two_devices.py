"""The same training on one and on two logical devices of this machine's processor. Run by hand:

    python tests/benchmarks/two_devices.py
    KERAS_BACKEND=jax python tests/benchmarks/two_devices.py

Both stages are trained for some epochs on drawn lesions, without dropout and augmentation, each number of devices in a
process of its own. What is compared is the loss of every epoch and the final weights.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

EPOCHS = 3
STAGES = ("segmentation", "classification")


def train_on(devices: int, folder: Path) -> None:
    """Train both stages, in a process whose processor is split into two logical devices."""
    from classification.config import ClassificationConfig  # noqa: PLC0415
    from classification.training import train as train_classification  # noqa: PLC0415
    from data.datasets.catalog import load_dataset  # noqa: PLC0415
    from segmentation.config import SegmentationConfig  # noqa: PLC0415
    from segmentation.training import train as train_segmentation  # noqa: PLC0415

    catalog = load_dataset(folder / "drawn").drop_duplicates("lesion_id").head(40)
    parts = ["train"] * 32 + ["validation"] * 8  # with other numbers an image is left out on two devices
    splits = pd.DataFrame({"image_id": catalog["image_id"], "split": parts})
    plain = {
        "small_epochs": 0,
        "epochs": EPOCHS,
        "batch_size": 8,
        "encoder_weights": None,
        "augmentation": "none",
    }
    unet = SegmentationConfig(input_size=(64, 64), **plain)
    classifier = ClassificationConfig(
        view="full", grouping="malignancy", input_side=64, width=0.35, head_epochs=0, dropout=0.0, **plain
    )
    train_segmentation(catalog, unet, folder / f"segmentation-{devices}", splits=splits, devices=devices)
    train_classification(
        catalog, classifier, folder / f"classification-{devices}", splits=splits, devices=devices
    )


def split_processor() -> None:
    """Give the process two logical devices, before its backend starts."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "jax":
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
        return
    import tensorflow as tf  # noqa: PLC0415

    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)


def compare(folder: Path) -> None:
    import keras  # noqa: PLC0415

    for stage in STAGES:
        runs = [folder / f"{stage}-{devices}" for devices in (1, 2)]
        losses = [pd.read_csv(run / "history.csv")["loss"].to_numpy() for run in runs]
        models = [keras.models.load_model(run / "model.keras", compile=False) for run in runs]
        inputs = np.random.default_rng(0).integers(0, 256, (8, *models[0].input_shape[1:])).astype(np.float32)
        answers = [np.asarray(model(inputs, training=False)) for model in models]
        print(
            f"{stage}: losses {np.round(losses[0], 4)} and {np.round(losses[1], 4)}; outputs differ by at most "
            f"{np.abs(answers[0] - answers[1]).max():.4f}, their deviation is {answers[0].std():.4f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.devices:
        split_processor()
        train_on(arguments.devices, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        from data.drawing.dataset import synthesize_dataset  # noqa: PLC0415

        synthesize_dataset(folder / "drawn", count=70, seed=0, size=(96, 128))
        for devices in (1, 2):
            command = [sys.executable, __file__, "--devices", str(devices), "--folder", str(folder)]
            subprocess.run(command, check=True)
        import segmentation.engine.normalization  # noqa: F401, PLC0415 - registers the layer of the models

        compare(folder)


if __name__ == "__main__":
    main()
