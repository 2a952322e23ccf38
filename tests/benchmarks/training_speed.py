"""Images a second of a training step, with Keras's batch normalisation and with the fused kernel, and of the input.

The models train on arrays in memory, so that nothing but the step is timed; the input is timed alone, on one thread.

Run: python tests/benchmarks/training_speed.py
"""

import time

import keras
import numpy as np

from classification.model import build_classifier
from data.augmentation import Augmentation
from data.batches import Batches, ClassificationBatches, SegmentationBatches
from segmentation.engine.normalization import FusedBatchNormalization
from segmentation.engine.schedule import compile_for_backend
from segmentation.model import build_unet
from segmentation.training import dice_and_cross_entropy

IMAGES = 192
UNET_SIZE, CLASSIFIER_SIDE = (192, 256), 224


def main() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, *UNET_SIZE, 3), dtype=np.uint8)
    masks = rng.integers(0, 256, (IMAGES, *UNET_SIZE), dtype=np.uint8)
    squares = rng.integers(0, 256, (IMAGES, CLASSIFIER_SIDE, CLASSIFIER_SIDE, 3), dtype=np.uint8)
    labels = rng.integers(0, 7, IMAGES)
    strong = {stage: Augmentation(stage, "strong") for stage in ("segmentation", "classification")}
    inputs: dict[str, Batches] = {
        "U-Net": SegmentationBatches(images, masks, UNET_SIZE, 16, strong["segmentation"]),
        "classifier": ClassificationBatches(
            squares, labels, 7, CLASSIFIER_SIDE, 32, augmentation=strong["classification"]
        ),
    }
    for name, batches in inputs.items():
        print(f"{name}: input alone {input_speed(batches):7.1f} images/s", flush=True)
    for fused in (False, True):
        unet = as_wanted(build_unet(UNET_SIZE, None), fused)
        classifier = as_wanted(build_classifier(7, CLASSIFIER_SIDE, None), fused)
        crossentropy = keras.losses.CategoricalCrossentropy(from_logits=True)
        kind = "fused" if fused else "Keras"
        unet_speed = step_speed(unet, dice_and_cross_entropy, images, masks[..., None] / np.float32(255), 16)
        print(f"U-Net: {kind} batch normalisation {unet_speed:7.1f} images/s", flush=True)
        speed = step_speed(classifier, crossentropy, squares, np.eye(7, dtype=np.float32)[labels], 32)
        print(f"classifier: {kind} batch normalisation {speed:7.1f} images/s", flush=True)


def as_wanted(model: keras.Model, fused: bool) -> keras.Model:
    """The model itself, or its copy with Keras's own batch normalisation."""

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, FusedBatchNormalization):
            return keras.layers.BatchNormalization.from_config(layer.get_config())
        return layer.__class__.from_config(layer.get_config())

    return model if fused else keras.models.clone_model(model, clone_function=plain, recursive=True)


def input_speed(batches: Batches) -> float:
    start = time.perf_counter()
    for index in range(len(batches)):
        batches[index]
    return batches.count / (time.perf_counter() - start)


def step_speed(
    model: keras.Model, loss: object, inputs: np.ndarray, targets: np.ndarray, batch_size: int
) -> float:
    compile_for_backend(model, optimizer="adam", loss=loss)
    model.fit(inputs, targets, batch_size=batch_size, verbose=0)
    start = time.perf_counter()
    model.fit(inputs, targets, batch_size=batch_size, verbose=0)
    return len(inputs) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
