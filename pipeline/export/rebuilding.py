"""Trainable Keras models out of a bundle's LiteRT files, for a training that starts from what ships.

The converter folds every batch normalisation into the convolution before it. Here the folded weights go back into the
networks that `lesion train` builds, and each normalisation gets the statistics of its own input on real images, and the
scale and shift with which it changes nothing: the model answers as the bundle does, and trains as one that was never
folded.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from classification.model import build_classifier
from classification.priors import ClassPrior
from data.files import write_text
from data.images import read_image
from data.resizing import resize
from data.splits import read_splits, write_splits
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import MANIFEST_FILE, Bundle
from pipeline.export.odds import odds_of
from pipeline.export.quantisation import NO_TENSOR, OPERATORS, Layer, Model
from pipeline.prediction.predictor import LesionPipeline
from segmentation.config import DECODER_FILTERS
from segmentation.cropping import crop
from segmentation.engine.run_folder import FORMER_SETTINGS, Run, RunError
from segmentation.model import build_unet

BATCH = 8
# Of a probability, on average over images: rounding of activations, which Keras does not do, costs less.
MOST_DIFFERENCE = 0.03


class Weights(NamedTuple):
    """A folded layer: its kernel as Keras has it, and its bias (C,)."""

    kernel: np.ndarray
    bias: np.ndarray


def rebuilt_run(bundle: Bundle, stage: str, images: np.ndarray, folder: Path) -> Run:
    """A run folder that holds a bundle's model as `model.keras`, to start a training from or to teach one.

    A classifier's logits are those of its training: what the export gave them of the classes' shares is taken out, as
    far as the bundle tells the shares, and so are the factors of `lesion calibrate --odds`. `load_classifier` gives
    them all of the shares.

    Parameters
    ----------
    bundle : Bundle
    stage : "segmentation" or "classification"
    images : uint8 array (N, H, W, 3)
        Inputs of that model, some dozens, from which the batch normalisation's statistics come.
    folder : Path

    Raises
    ------
    RunError
        If the file does not hold the network that is built here, or the two answer differently.
    """
    run = Run(folder)
    model = rebuilt_model(bundle, stage, images)
    folder.mkdir(parents=True, exist_ok=True)
    metrics: dict[str, Any] = {"classes": list(bundle.classes), "threshold": bundle.threshold}
    if stage == "classification":
        metrics |= {"input_side": model.input_shape[1], "temperature": bundle.temperature}
        metrics |= _take_prior_out(model, bundle)
    model.save(run.model_path)
    run.write_metrics(metrics)
    if bundle.splits_path:
        write_splits(read_splits(bundle.splits_path), run.splits_path)
    config = {
        "stage": stage,
        "settings": _settings(bundle, stage),
        "bundle": bundle.name,
        "rebuilt_from": _path(bundle, stage).name,
    }
    write_text(folder / "config.json", json.dumps(config, indent=2) + "\n")
    return run


def _take_prior_out(model: keras.Model, bundle: Bundle) -> dict[str, Any]:
    """Leave in the logits what was learned, without what the export added; the metrics that give all shares back."""
    facts = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    prior, odds = facts["figures"].get("prior", {}), odds_of(bundle)
    shares, learned = (
        np.array([prior.get(kind, {}).get(name, 0.0) for name in bundle.classes])
        for kind in ("log_shares", "learned_log_shares")
    )
    given = ClassPrior(learned, shares, prior.get("strength"))
    raises = np.log([odds.get(name, 1.0) for name in bundle.classes])
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel, bias - given.shift() - raises])
    if "log_shares" not in prior:
        return {}
    return replace(given, strength=None if given.strength is None else 1.0).to_metrics()


def rebuilt_model(bundle: Bundle, stage: str, images: np.ndarray) -> keras.Model:
    """A bundle's model in Keras, with the arguments and errors of `rebuilt_run`."""
    path = _path(bundle, stage)
    model = _network(stage, images.shape[1:3], _settings(bundle, stage), len(bundle.classes))
    _fill(model, path, images)
    _check_parity(model, path, images)
    return model


def inputs_of(bundle: Bundle, stage: str, image_paths: Sequence[str | Path]) -> np.ndarray:
    """What a bundle's network sees of images: uint8 (N, H, W, 3)."""
    height, width, _ = (bundle.segmentation if stage == "segmentation" else bundle.classification).input_shape
    images = [read_image(path) for path in image_paths]
    if stage == "classification" and bundle.view == "crop":
        pipeline = LesionPipeline.load(bundle)
        boxes = [pipeline.predict(image).box for image in images]
        images = [
            image if box is None else crop(image, box) for image, box in zip(images, boxes, strict=True)
        ]
    return np.stack([resize(image, (height, width)) for image in images])


def _path(bundle: Bundle, stage: str) -> Path:
    return bundle.segmentation_path if stage == "segmentation" else bundle.classification_path


def _settings(bundle: Bundle, stage: str) -> dict[str, Any]:
    """Of the training that the model came from."""
    facts = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    settings: dict[str, Any] = FORMER_SETTINGS | facts["training"].get(stage, {}).get("settings", {})
    return settings


def _network(stage: str, size: tuple[int, ...], settings: dict[str, Any], classes: int) -> keras.Model:
    if stage == "segmentation":
        filters = tuple(settings.get("decoder_filters", DECODER_FILTERS))
        return build_unet((size[0], size[1]), None, filters, settings["encoder"])
    return build_classifier(
        classes, size[0], None, encoder=settings["encoder"], width=settings.get("width", 1.0)
    )


def folded_weights(content: bytes) -> list[Weights]:
    """Kernels and biases of a LiteRT file's layers in their order, in float32 whatever the file's precision."""
    model = Model(content)
    sources = model.sources()
    return [_weights(model, layer, sources) for layer in model.layers]


def _weights(model: Model, layer: Layer, sources: dict[int, int]) -> Weights:
    kernel = model.values(sources.get(layer.weights, layer.weights))
    channels = kernel.shape[-1] if layer.depthwise else len(kernel)
    bias = (
        np.zeros(channels, np.float32)
        if layer.bias == NO_TENSOR
        else model.values(sources.get(layer.bias, layer.bias))
    )
    if layer.depthwise:
        return Weights(kernel[0][..., None], bias)
    if layer.operator == OPERATORS.FULLY_CONNECTED:
        return Weights(kernel.T, bias)
    return Weights(kernel.transpose(1, 2, 3, 0), bias)


def _fill(model: keras.Model, path: Path, images: np.ndarray) -> None:
    """Put the file's weights into the network, and give its batch normalisation statistics and scales."""
    places = list(_places(model))
    folded = folded_weights(path.read_bytes())
    if len(folded) > len(places):  # the class activation map has the head's weights once more
        folded = [*folded[: len(places) - 1], next(part for part in folded[::-1] if part.kernel.ndim == 2)]
    shapes = [[tuple(layer.weights[0].shape) for layer, _ in places], [part.kernel.shape for part in folded]]
    if shapes[0] != shapes[1]:
        raise RunError(f"{path}: holds another network than the one that is trained here; start from a run.")
    for (layer, normalization), (kernel, bias) in zip(places, folded, strict=True):
        layer.set_weights([kernel] if normalization else [kernel, bias])
        if normalization:
            ones = np.ones_like(bias)
            normalization.set_weights([ones, bias, 0 * ones, ones - normalization.epsilon])
    normalized = [
        (layer, normalization, part.bias)
        for (layer, normalization), part in zip(places, folded, strict=True)
        if normalization is not None
    ]
    means, variances = _output_moments(model, [layer for layer, _, _ in normalized], images)
    for (_, normalization, bias), mean, variance in zip(normalized, means, variances, strict=True):
        normalization.set_weights([np.sqrt(variance + normalization.epsilon), bias + mean, mean, variance])


def _places(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, keras.layers.Layer | None]]:
    """Every layer with a kernel in the order of the computation, with the batch normalisation behind it."""
    weighed = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)
    layers = [
        layer for part in model.layers for layer in (part.layers if hasattr(part, "layers") else [part])
    ]
    for layer in layers:
        if isinstance(layer, weighed):
            followers = [node.operation for node in layer._outbound_nodes]
            normalization = next(
                (each for each in followers if isinstance(each, keras.layers.BatchNormalization)), None
            )
            yield layer, normalization


def _output_moments(
    model: keras.Model, layers: list[keras.layers.Layer], images: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Mean and variance (C,) of every layer's output over images and places."""
    inner = next(part for part in model.layers if hasattr(part, "layers"))
    outputs = keras.Model(inner.inputs, [layer.output for layer in layers])
    scale = model.get_layer("scale")
    counts = np.zeros(len(layers))
    sums: list[Any] = [0.0] * len(layers)
    squares: list[Any] = [0.0] * len(layers)
    for start in range(0, len(images), BATCH):
        found = outputs(scale(images[start : start + BATCH].astype(np.float32)), training=False)
        for place, values in enumerate(found):
            rows = np.asarray(values).astype(np.float64).reshape(-1, values.shape[-1])
            counts[place] += len(rows)
            sums[place] = sums[place] + rows.sum(axis=0)
            squares[place] = squares[place] + (rows**2).sum(axis=0)
    means = [total / count for total, count in zip(sums, counts, strict=True)]
    variances = [
        np.maximum(total / count - mean**2, 0)
        for total, count, mean in zip(squares, counts, means, strict=True)
    ]
    return means, variances


def _check_parity(model: keras.Model, path: Path, images: np.ndarray) -> None:
    converted = LiteRTModel(path)
    expected = np.stack([converted(image)[0] for image in images])
    found = np.concatenate(
        [
            np.asarray(model(images[start : start + BATCH].astype(np.float32), training=False))
            for start in range(0, len(images), BATCH)
        ]
    )
    if expected.ndim == 2:
        expected, found = (np.asarray(keras.ops.softmax(logits)) for logits in (expected, found))
    difference = float(np.abs(expected - found).mean())
    if difference > MOST_DIFFERENCE:
        raise RunError(
            f"{path}: the network that was rebuilt from it differs by {difference:.3f} on average; start from a run."
        )
