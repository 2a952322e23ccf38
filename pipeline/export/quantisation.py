"""Refinement of int8 models: weights and biases that take back what rounding loses, at the same size and speed.

Post-training quantisation rounds every weight to the nearest of 255 levels. That shifts the mean of what a layer puts
out, and in a depthwise kernel, whose nine weights often nearly cancel out over a smooth input, the small rest is lost
among the rounding errors. Both can be mended from the layers' inputs on real images, weight by weight and in place.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils
from numpy.lib.stride_tricks import sliding_window_view

from data.silence import silent_standard_error

LARGEST_LEVEL = 127
# All ways to round a kernel are tried, 2 to the power of its size: 512 for 3 x 3.
MOST_WEIGHTS_TO_CHOOSE = 9

NO_TENSOR = -1
TYPES = {0: np.float32, 1: np.float16, 2: np.int32, 9: np.int8}  # of constants, by the number in the file
OPERATORS = schema.BuiltinOperator
WEIGHED = (OPERATORS.CONV_2D, OPERATORS.DEPTHWISE_CONV_2D, OPERATORS.FULLY_CONNECTED)


@dataclass(frozen=True)
class Layer:
    """An operator with weights: its kind, and its tensors' places in the model.

    Weights are seen as one row an output channel, (C, K): all that the channel's sum runs over.
    """

    operator: int
    input: int
    weights: int
    bias: int
    output: int
    strides: tuple[int, int] = (1, 1)
    padded: bool = False

    @property
    def depthwise(self) -> bool:
        return bool(self.operator == OPERATORS.DEPTHWISE_CONV_2D)

    def to_rows(self, weights: np.ndarray) -> np.ndarray:
        """Weights as LiteRT has them -> (C, K)."""
        if self.depthwise:
            return weights.reshape(-1, weights.shape[-1]).T
        return weights.reshape(len(weights), -1)

    def from_rows(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """(C, K) -> weights of `shape` as LiteRT has them."""
        return (rows.T if self.depthwise else rows).reshape(shape)


@dataclass(frozen=True)
class Moments:
    """Mean (K,) of what meets a layer's weights, for a depthwise layer (C, K), and then its covariance (C, K, K)."""

    mean: np.ndarray
    covariance: np.ndarray | None


class Model:
    """The first graph of a LiteRT file, with its layers and their constants."""

    def __init__(self, content: bytes) -> None:
        self._model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        self.graph = self._model.subgraphs[0]
        self.layers = [layer for layer in map(self._layer, self.graph.operators) if layer]

    def to_bytes(self) -> bytes:
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def constant(self, tensor: int, dtype: type) -> np.ndarray:
        details = self.graph.tensors[tensor]
        return np.frombuffer(bytes(self._model.buffers[details.buffer].data), dtype).reshape(details.shape)

    def values(self, tensor: int) -> np.ndarray:
        """A constant in float32, whatever type the file holds it in: float, or whole numbers with a scale."""
        levels = self.constant(tensor, TYPES[self.graph.tensors[tensor].type])
        steps = self._steps(tensor, levels)
        return levels.astype(np.float32) if steps is None else np.asarray(levels * steps, np.float32)

    def add(self, tensor: int, values: np.ndarray) -> None:
        """Raise a constant by `values` of its shape, rounded to its levels where the file holds levels."""
        levels = self.constant(tensor, TYPES[self.graph.tensors[tensor].type])
        steps = self._steps(tensor, levels)
        raised = levels + (values if steps is None else np.round(values / steps))
        self.replace(tensor, raised.astype(levels.dtype))

    def widen(self, tensor: int, lowest: float, highest: float) -> None:
        """Let a tensor of int8 hold values lower by -`lowest`, which is at most 0, and higher by `highest`."""
        quantisation = self.graph.tensors[tensor].quantization
        scale, zero_point = self.scale(tensor)[0], self.zero_point(tensor)[0]
        low = (-LARGEST_LEVEL - 1 - zero_point) * scale + lowest
        high = (LARGEST_LEVEL - zero_point) * scale + highest
        wider = (high - low) / (2 * LARGEST_LEVEL + 1)
        quantisation.scale = [float(wider)]
        quantisation.zeroPoint = [int(np.clip(round(-LARGEST_LEVEL - 1 - low / wider), -128, LARGEST_LEVEL))]

    def _steps(self, tensor: int, levels: np.ndarray) -> np.ndarray | None:
        """What a constant's level is worth, in a shape that goes with its own; None where it is in floating point."""
        if levels.dtype.kind == "f":
            return None
        shape, scale = np.ones(levels.ndim, int), self.scale(tensor)
        shape[self.graph.tensors[tensor].quantization.quantizedDimension] = len(scale)
        return scale.reshape(shape)

    def sources(self) -> dict[int, int]:
        """Tensors that are read through a conversion to float32 -> those that hold what is converted."""
        conversions = [each for each in self.graph.operators if self.kind(each) == OPERATORS.DEQUANTIZE]
        return {int(each.outputs[0]): int(each.inputs[0]) for each in conversions}

    def replace(self, tensor: int, values: np.ndarray) -> None:
        """Other values of the same type; a tensor that shares its buffer with others gets its own."""
        details = self.graph.tensors[tensor]
        if sum(other.buffer == details.buffer for other in self.graph.tensors) > 1:
            self._model.buffers.append(schema.BufferT())
            details.buffer = len(self._model.buffers) - 1
        self._model.buffers[details.buffer].data = np.frombuffer(values.tobytes(), np.uint8)

    def scale(self, tensor: int) -> np.ndarray:
        """What a level is worth: one number, or one a channel."""
        return np.asarray(self.graph.tensors[tensor].quantization.scale, np.float64)

    def zero_point(self, tensor: int) -> np.ndarray:
        """Which level stands for 0, of a tensor that is quantised as a whole."""
        return np.asarray(self.graph.tensors[tensor].quantization.zeroPoint, np.int64)

    def kind(self, operator: Any) -> int:
        code = self._model.operatorCodes[operator.opcodeIndex]
        return int(max(code.builtinCode, code.deprecatedBuiltinCode))

    def _layer(self, operator: Any) -> Layer | None:
        kind = self.kind(operator)
        if kind not in WEIGHED:
            return None
        source, weights, bias = (int(place) for place in [*operator.inputs, NO_TENSOR][:3])
        output = int(operator.outputs[0])
        if kind == OPERATORS.FULLY_CONNECTED:
            return Layer(kind, source, weights, bias, output)
        options = operator.builtinOptions
        strides = (int(options.strideH), int(options.strideW))
        return Layer(
            kind, source, weights, bias, output, strides, padded=options.padding == schema.Padding.SAME
        )


def refine(quantised: bytes, exact: bytes, images: np.ndarray) -> bytes:
    """Round depthwise kernels for the least error of their outputs, and correct the bias of every layer.

    The scaled image, too, gets all 255 levels: TensorFlow spends a third of them on values that it never has.

    Parameters
    ----------
    quantised : bytes
        A LiteRT file with 8-bit weights, per channel.
    exact : bytes
        The same model in float32.
    images : uint8 array (N, H, W, 3)
        Real inputs, from which the layers' inputs come.

    Returns
    -------
    bytes
        The quantised file with other levels and other biases: same size, same speed.

    References
    ----------
    M. Nagel et al. Data-Free Quantization Through Weight Equalization and Bias Correction. ICCV 2019.
    M. Nagel et al. Up or Down? Adaptive Rounding for Post-Training Quantization. ICML 2020.
    """
    rounded, original = Model(quantised), Model(exact)
    _tighten_scaled_image(rounded)
    moments = input_moments(exact, images)
    for layer, twin, inputs in zip(rounded.layers, original.layers, moments, strict=True):
        levels = rounded.constant(layer.weights, np.int8)
        scale, weights = (
            rounded.scale(layer.weights)[:, None],
            twin.to_rows(original.constant(twin.weights, np.float32)),
        )
        rows = layer.to_rows(levels)
        if inputs.covariance is not None:
            rows = best_rounding(weights, np.broadcast_to(scale, (len(weights), 1)), inputs.covariance)
            rounded.replace(layer.weights, layer.from_rows(rows, levels.shape).astype(np.int8))
        if layer.bias != NO_TENSOR:
            _correct_bias(rounded, layer.bias, ((weights - rows * scale) * inputs.mean).sum(axis=1))
    return rounded.to_bytes()


def _tighten_scaled_image(model: Model) -> None:
    """Let the product of the image and a constant, before the first layer, have the range that it can have."""
    for operator in model.graph.operators:
        kind = model.kind(operator)
        if kind in WEIGHED:
            return
        if kind == OPERATORS.MUL:
            _tighten_product(model, *operator.inputs, *operator.outputs)


def _tighten_product(model: Model, source: int, constant: int, product: int) -> None:
    levels = np.iinfo(np.int8)
    ends = np.array([levels.min, levels.max]) - model.zero_point(source)
    factor = (model.constant(constant, np.int8) - model.zero_point(constant)) * model.scale(constant)
    products = np.multiply.outer(
        ends * model.scale(source), factor
    )  # a factor for all channels, or one a channel
    low, high = products.min(), products.max()
    scale = (high - low) / (levels.max - levels.min)
    quantization = model.graph.tensors[product].quantization
    quantization.scale = np.array([scale], np.float32)
    quantization.zeroPoint = np.array([round(levels.min - low / scale)])


def best_rounding(weights: np.ndarray, scale: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Levels, each the one below or above its weight, with which a kernel's output varies least from the exact one.

    Parameters
    ----------
    weights : array (C, K)
    scale : array (C, 1), what a level is worth
    covariance : array (C, K, K), of the inputs that meet the weights; a shift of the mean is the bias's business

    Returns
    -------
    float array (C, K), whole numbers in -127..127
    """
    below = np.floor(weights / np.where(scale > 0, scale, 1))
    steps = np.array(list(itertools.product((0, 1), repeat=weights.shape[1])))
    levels = np.empty_like(below)
    for channel in range(len(weights)):
        candidates = np.clip(below[channel] + steps, -LARGEST_LEVEL, LARGEST_LEVEL)
        errors = candidates * scale[channel] - weights[channel]
        variance = np.einsum("nk,nk->n", errors @ covariance[channel], errors)
        levels[channel] = candidates[np.argmin(variance)]
    return levels


def input_moments(exact: bytes, images: np.ndarray) -> list[Moments]:
    """Moments of every layer's input over images (N, H, W, 3), from the float32 model."""
    model = Model(exact)
    shapes = [model.graph.tensors[layer.weights].shape for layer in model.layers]
    totals: list[list[Any]] = [[0, 0.0, 0.0] for _ in model.layers]
    for inputs in _layer_inputs(model, images):
        for layer, shape, total in zip(model.layers, shapes, totals, strict=True):
            seen = _patches(inputs[layer.input], layer, shape)
            total[0] += len(seen)
            total[1] += seen.sum(axis=0, dtype=np.float64)
            if layer.depthwise and seen.shape[1] <= MOST_WEIGHTS_TO_CHOOSE:
                total[2] += seen.transpose(2, 1, 0) @ seen.transpose(2, 0, 1)
    return [_moments(layer, *total) for layer, total in zip(model.layers, totals, strict=True)]


def _layer_inputs(model: Model, images: np.ndarray) -> Any:
    """For every image what enters each layer, tensor -> array with a batch axis of 1."""
    outputs = model.graph.outputs
    model.graph.outputs = sorted({layer.input for layer in model.layers})
    interpreter = Interpreter(model_content=model.to_bytes())
    model.graph.outputs = outputs
    with silent_standard_error():  # LiteRT's greeting
        interpreter.allocate_tensors()
    image_input = interpreter.get_input_details()[0]["index"]
    places = [details["index"] for details in interpreter.get_output_details()]
    for image in images:
        interpreter.set_tensor(image_input, image[None].astype(np.float32))
        interpreter.invoke()
        yield {place: interpreter.get_tensor(place) for place in places}


def _patches(inputs: np.ndarray, layer: Layer, shape: tuple[int, ...]) -> np.ndarray:
    """What the kernel sees at each of its P places: (P, K) in the order of the weights, depthwise (P, K, C)."""
    if layer.operator == OPERATORS.FULLY_CONNECTED:
        return inputs.reshape(1, -1)
    kernel = shape[1:3]
    if layer.padded:
        inputs = np.pad(inputs, [(0, 0), *map(_padding, inputs.shape[1:3], kernel, layer.strides), (0, 0)])
    rows, columns = layer.strides
    windows = sliding_window_view(inputs[0], kernel, axis=(0, 1))[::rows, ::columns]
    channels_last = windows.transpose(0, 1, 3, 4, 2)
    if layer.depthwise:
        return channels_last.reshape(-1, kernel[0] * kernel[1], inputs.shape[-1])
    return channels_last.reshape(len(windows) * windows.shape[1], -1)


def _padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels before and after, as TensorFlow's "same" has them."""
    missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return missing // 2, missing - missing // 2


def _moments(layer: Layer, count: int, first: np.ndarray, second: np.ndarray | float) -> Moments:
    if not layer.depthwise:
        return Moments(first / count, None)
    mean = first.T / count
    if isinstance(second, float):
        return Moments(mean, None)
    return Moments(mean, second / count - mean[:, :, None] * mean[:, None, :])


def _correct_bias(model: Model, bias: int, shift: np.ndarray) -> None:
    """Add to an int32 bias what the layer's output lost on average."""
    scale, levels = model.scale(bias), model.constant(bias, np.int32)
    change = np.divide(shift, scale, out=np.zeros_like(shift), where=scale > 0)
    limits = np.iinfo(np.int32)
    model.replace(bias, np.clip(np.rint(levels + change), limits.min, limits.max).astype(np.int32))
