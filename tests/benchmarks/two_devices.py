"""The classifier's first steps on one and on two logical devices of this machine's processor. Run by hand:

    python tests/benchmarks/two_devices.py
    KERAS_BACKEND=jax XLA_FLAGS=--xla_force_host_platform_device_count=2 python tests/benchmarks/two_devices.py

From random weights on drawn lesions, without dropout and augmentation. A third training, on one device, starts from the
same weights changed by a millionth of themselves: how far rounding alone takes two trainings apart. What is asserted of
two devices is in `tests/classification/test_two_devices.py`.
"""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from classification.model import build_classifier
from data.batches import ClassificationBatches
from data.datasets.catalog import load_dataset
from data.drawing.dataset import synthesize_dataset
from data.images import read_image
from data.resizing import resize
from segmentation.engine.devices import spread_over
from segmentation.engine.feeding import fed
from segmentation.engine.normalization import keep_averages_up
from segmentation.engine.phases import Phase
from segmentation.engine.schedule import adam_with_cosine, compile_for_backend

SIDE, BATCH, STEPS = 64, 8, 4
MALIGNANT = ("akiec", "bcc", "mel")
MILLIONTH = 1e-6


class StepLosses(keras.callbacks.Callback):
    """The loss of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.sums: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.sums.append((batch + 1) * float((logs or {})["loss"]))  # Keras tells the mean until here

    @property
    def values(self) -> np.ndarray:
        return np.diff(self.sums, prepend=0.0)


def split_processor() -> None:
    """Give TensorFlow two logical devices, before it starts."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415 - JAX does without it

        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)


def drawn_batches() -> ClassificationBatches:
    with tempfile.TemporaryDirectory() as folder:
        synthesize_dataset(Path(folder) / "drawn", count=70, seed=0, size=(96, 128))
        catalog = load_dataset(Path(folder) / "drawn").drop_duplicates("lesion_id").head(STEPS * BATCH)
        images = np.stack([resize(read_image(path), (SIDE, SIDE)) for path in catalog["image_path"]])
    return ClassificationBatches(images, catalog["dx"].isin(MALIGNANT).to_numpy(int), 2, SIDE, BATCH)


def losses_on(devices: int, change: float, batches: ClassificationBatches) -> np.ndarray:
    keras.utils.set_random_seed(0)
    with spread_over(devices):
        model = build_classifier(2, SIDE, None, width=0.35, dropout=0.0)
        rng = np.random.default_rng(1)
        model.set_weights([
            (weights * (1 + change * rng.standard_normal(weights.shape))).astype(weights.dtype)
            for weights in model.get_weights()
        ])  # fmt: skip
        keep_averages_up(model, 3 * STEPS)
        compile_for_backend(
            model,
            optimizer=adam_with_cosine(Phase("full", (SIDE, SIDE), 3, 5e-4), STEPS, 1e-4),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
        )
        losses = StepLosses()
        model.fit(fed(batches), shuffle=False, verbose=0, callbacks=[losses])
    return losses.values


def main() -> None:
    split_processor()
    batches = drawn_batches()
    for name, devices, change in (
        ("one device", 1, 0.0),
        ("one device, weights changed by a millionth", 1, MILLIONTH),
        ("two devices", 2, 0.0),
    ):
        print(f"{name}: {np.round(losses_on(devices, change, batches), 4).tolist()}", flush=True)


if __name__ == "__main__":
    main()
