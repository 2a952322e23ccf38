"""An int8 file answers nearly as the float32 file does, and is no larger than without that care."""

from pathlib import Path
from typing import NamedTuple

import cv2
import keras
import numpy as np
import pytest

from pipeline.bundle.litert import LiteRTModel
from pipeline.export.conversion import convert, convert_plainly
from pipeline.export.quantisation import Model, best_rounding, input_moments

SIDE = 32


def smooth_images(count: int) -> np.ndarray:
    """Blurred noise, uint8 (count, SIDE, SIDE, 3): neighbours are alike, as in a photograph."""
    noise = np.random.default_rng(1).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for image in noise])


def network_with_edge_detectors() -> keras.Model:
    """A depthwise layer whose kernels nearly cancel out, between two ordinary ones."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu6"),
            keras.layers.DepthwiseConv2D(3, padding="same", activation="relu6"),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )
    depthwise = model.layers[2]
    kernel, bias = depthwise.get_weights()
    depthwise.set_weights([400 * (kernel - kernel.mean(axis=(0, 1))) + 0.05, bias + 0.5])
    return model


class Files(NamedTuple):
    exact: bytes
    plain: bytes
    refined: bytes


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return network_with_edge_detectors()


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return smooth_images(48)


@pytest.fixture(scope="module")
def files(model: keras.Model, images: np.ndarray) -> Files:
    calibration = images[:32]
    return Files(
        exact=convert(model, calibration, "float32"),
        plain=convert_plainly(model, calibration, "int8"),
        refined=convert(model, calibration, "int8"),
    )


def answers(content: bytes, images: np.ndarray, folder: Path) -> np.ndarray:
    file = folder / "model.tflite"
    file.write_bytes(content)
    model = LiteRTModel(file, threads=1)
    return np.stack([model(image)[0] for image in images])


def test_int8_errs_less_than_plain_rounding(files: Files, images: np.ndarray, tmp_path: Path) -> None:
    unseen = images[32:]
    exact, plain, refined = (answers(content, unseen, tmp_path) for content in files)
    assert exact.std() > 0.05
    assert np.abs(refined - exact).mean() < 0.7 * np.abs(plain - exact).mean()


def test_int8_is_as_small_as_plain_rounding(files: Files) -> None:
    assert len(files.refined) <= len(files.plain)


def test_int8_takes_pixels_and_gives_numbers(files: Files) -> None:
    graph = Model(files.refined).graph
    kinds = [graph.tensors[place].type for place in (*graph.inputs, *graph.outputs)]
    assert kinds == [3, 0]  # uint8 in, float32 out


def test_the_scaled_image_has_all_levels_between_its_darkest_and_its_brightest(files: Files) -> None:
    graph = Model(files.refined).graph
    (product,) = [tensor for tensor in graph.tensors if tensor.name.endswith(b"/mul")]
    assert product.quantization.scale == pytest.approx(2 / 255)
    assert product.quantization.zeroPoint == -128


def test_moments_foretell_the_mean_of_what_a_layer_puts_out(images: np.ndarray) -> None:
    keras.utils.set_random_seed(3)
    strided = keras.layers.Conv2D(4, 3, strides=2, padding="same")
    depthwise = keras.layers.DepthwiseConv2D(3, strides=2, padding="same")
    inner = keras.layers.Conv2D(2, (1, 3))
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), strided, depthwise, inner])
    file = convert_plainly(model, images, "float32")
    graph, values = Model(file), images.astype(np.float32)
    assert len(graph.layers) == 3
    for layer, moments, twin in zip(
        graph.layers, input_moments(file, images), (strided, depthwise, inner), strict=True
    ):
        values = keras.ops.convert_to_numpy(twin(values))
        rows = layer.to_rows(graph.constant(layer.weights, np.float32))
        expected = values.mean(axis=(0, 1, 2))
        assert (rows * moments.mean).sum(axis=1) == pytest.approx(expected, rel=1e-3)
        if layer.depthwise:
            variance = np.einsum("ck,ckl,cl->c", rows, moments.covariance, rows)
            assert variance == pytest.approx(values.var(axis=(0, 1, 2)), rel=1e-3)


def test_rounding_keeps_the_sum_where_all_inputs_are_alike() -> None:
    weights = np.array([[0.4, 0.4, 0.4, -0.2, 127.0]])
    alike = np.ones((1, 5, 5))
    levels = best_rounding(weights, np.ones((1, 1)), alike)
    assert levels.sum() == 128
    assert np.abs(levels - weights).max() < 1


def test_rounding_is_to_the_nearest_level_where_inputs_have_nothing_in_common() -> None:
    weights = np.array([[0.4, -0.6, 1.2, 2.7, -3.3]])
    levels = best_rounding(weights, np.full((1, 1), 1.0), np.eye(5)[None])
    assert levels.tolist() == [[0, -1, 1, 3, -3]]


def test_a_channel_without_weights_stays_without_them() -> None:
    assert not best_rounding(np.zeros((1, 9)), np.zeros((1, 1)), np.eye(9)[None]).any()
