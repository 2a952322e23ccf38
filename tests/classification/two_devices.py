"""A small network trained on one and on two logical devices of the processor, in a process of its own; prints JSON.

    python tests/classification/two_devices.py FOLDER

JAX needs XLA_FLAGS=--xla_force_host_platform_device_count=2 beside KERAS_BACKEND=jax.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

from classification.config import ClassificationConfig
from classification.losses import loss_for
from data.batches import ClassificationBatches
from segmentation.engine.fitting import fit
from segmentation.engine.normalization import FusedBatchNormalization
from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import Run
from segmentation.engine.schedule import adam_with_cosine, compile_for_backend

SIDE, CLASSES, IMAGES, BATCH, EPOCHS = 8, 3, 14, 4, 2  # the last batch has two images
LOSSES = ("none", "class-weights")


def split_processor() -> None:
    """Give TensorFlow two logical devices, before it starts."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415 - JAX does without it

        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)


def build_model(_: Phase) -> keras.Model:
    image = keras.Input((SIDE, SIDE, 3))
    features = keras.layers.Conv2D(4, 3, use_bias=False)(keras.layers.Rescaling(1 / 127.5, -1)(image))
    features = keras.layers.ReLU()(FusedBatchNormalization()(features))
    return keras.Model(image, keras.layers.Dense(CLASSES)(keras.layers.GlobalAveragePooling2D()(features)))


def batches(count: int) -> ClassificationBatches:
    rng = np.random.default_rng(count)
    labels = np.arange(count) % CLASSES
    images = np.clip(rng.normal(60 + 60 * labels[:, None, None, None], 40, (count, SIDE, SIDE, 3)), 0, 255)
    return ClassificationBatches(images.astype(np.uint8), labels, CLASSES, SIDE, BATCH)


def trained_on(devices: int, imbalance: str, folder: Path) -> dict[str, object]:
    """Losses of every epoch, on training and validation, and the best weights."""
    keras.utils.set_random_seed(0)
    run = Run(folder)
    run.folder.mkdir(parents=True)
    config = ClassificationConfig(imbalance=imbalance, batch_size=BATCH)

    def compile_model(model: keras.Model, phase: Phase, steps: int) -> None:
        compile_for_backend(
            model,
            optimizer=adam_with_cosine(phase, steps, 1e-4),
            loss=loss_for(config, batches(IMAGES).labels),
            metrics=["accuracy"],
        )

    state = fit(
        run, [Phase("full", (SIDE, SIDE), EPOCHS, 1e-2)], build_model,
        lambda _: (batches(IMAGES), batches(IMAGES)), compile_model,
        monitor="val_loss", patience=EPOCHS, devices=devices,
    )  # fmt: skip
    model = keras.models.load_model(run.model_path, compile=False)
    return {
        "history": [{name: row[name] for name in ("loss", "val_loss", "accuracy")} for row in state.history],
        "weights": np.concatenate([values.ravel() for values in model.get_weights()]).tolist(),
    }


if __name__ == "__main__":
    split_processor()
    folder = Path(sys.argv[1])
    print(json.dumps({
        imbalance: [trained_on(devices, imbalance, folder / f"{imbalance}-{devices}") for devices in (1, 2)]
        for imbalance in LOSSES
    }))  # fmt: skip
