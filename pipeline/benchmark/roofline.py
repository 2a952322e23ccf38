"""The roofline: a model's MACs and parameters, and the rate of a product of float32 matrices."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

MATRIX_SIDE = 1536
RUNS = 7
WEIGHED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"})


def macs(path: Path) -> int:
    """MACs of one run of a `.tflite` model: those of its convolutions and dense layers.

    A layer has one for each weight that takes part in each of its outputs.
    """
    layers, shapes = _layers(path)
    return sum(_of_layer(layer, shapes) for layer in layers)


def parameters(path: Path) -> int:
    """Weights and biases of a `.tflite` model's convolutions and dense layers; batch normalisations are folded in."""
    layers, shapes = _layers(path)
    constants = {
        tensor
        for layer in layers
        if layer["op_name"] in WEIGHED
        for tensor in layer["inputs"][1:3]
        if tensor >= 0 and layer["op_name"] != "TRANSPOSE_CONV"
    }
    return sum(int(np.prod(shapes[tensor])) for tensor in constants)


def _layers(path: Path) -> tuple[list[Mapping[str, Any]], dict[int, np.ndarray]]:
    """The operators of a model, and the shapes of its tensors."""
    interpreter = Interpreter(
        model_path=str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    shapes = {details["index"]: details["shape"] for details in interpreter.get_tensor_details()}
    return interpreter._get_ops_details(), shapes


def _of_layer(layer: Mapping[str, Any], shapes: Mapping[int, np.ndarray]) -> int:
    name = layer["op_name"]
    if name not in WEIGHED:
        return 0
    weights = shapes[layer["inputs"][1]]
    if name == "FULLY_CONNECTED":
        return int(np.prod(weights))
    if name == "TRANSPOSE_CONV":  # its weights are used once for each pixel of its input, which comes third
        return int(np.prod(shapes[layer["inputs"][2]][:3]) * np.prod(weights))
    if name == "DEPTHWISE_CONV_2D":
        return int(np.prod(shapes[layer["outputs"][0]]) * np.prod(weights[1:3]))
    return int(np.prod(shapes[layer["outputs"][0]]) * np.prod(weights[1:]))


def matrix_rate() -> float:
    """MACs a second of a product of float32 matrices in NumPy, on all cores; the best of several."""
    matrix = np.random.default_rng(0).random((MATRIX_SIDE, MATRIX_SIDE), dtype=np.float32)
    return MATRIX_SIDE**3 / min(_product_seconds(matrix) for _ in range(RUNS))


def _product_seconds(matrix: np.ndarray) -> float:
    start = time.perf_counter()
    _ = matrix @ matrix
    return time.perf_counter() - start
