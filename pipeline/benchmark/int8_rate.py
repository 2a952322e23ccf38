"""How fast int8 numbers are multiplied at most on this machine: in 1x1 convolutions, which are products of matrices."""

import time

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from pipeline.bundle.litert import default_threads

SIDE, CHANNELS, LAYERS = 48, 256, 4
RUNS = 20
MACS = LAYERS * SIDE**2 * CHANNELS**2


def int8_rate(threads: int | None = None) -> float:
    """MACs a second of 1x1 convolutions in int8 in LiteRT, the best of several runs.

    Parameters
    ----------
    threads : int, optional
        By default those that `LesionPipeline` takes.
    """
    interpreter = Interpreter(model_content=network(), num_threads=threads or default_threads())
    interpreter.allocate_tensors()
    return MACS / min(_run_seconds(interpreter) for _ in range(RUNS))


def _run_seconds(interpreter: Interpreter) -> float:
    start = time.perf_counter()
    interpreter.invoke()
    return time.perf_counter() - start


def network() -> bytes:
    """A LiteRT file of `LAYERS` convolutions 1x1 from int8 to int8, without fused activations."""
    rng = np.random.default_rng(0)
    model = schema.ModelT()
    model.version = 3
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = 3
    model.operatorCodes = [code]
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    shape = [1, SIDE, SIDE, CHANNELS]
    graph.tensors, graph.operators = [_tensor(shape, schema.TensorType.INT8, 0, [0.05])], []
    for _ in range(LAYERS):
        weights = rng.integers(-127, 128, (CHANNELS, 1, 1, CHANNELS), np.int8)
        source = len(graph.tensors) - 1
        scales = [0.01] * CHANNELS
        graph.tensors += [
            _tensor(list(weights.shape), schema.TensorType.INT8, _buffer(model, weights), scales),
            _tensor(
                [CHANNELS], schema.TensorType.INT32, _buffer(model, np.zeros(CHANNELS, np.int32)), scales
            ),
            _tensor(shape, schema.TensorType.INT8, 0, [0.05]),
        ]
        graph.operators.append(_convolution([source, source + 1, source + 2], source + 3))
    graph.inputs, graph.outputs = [0], [len(graph.tensors) - 1]
    model.subgraphs = [graph]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _tensor(shape: list[int], kind: int, buffer: int, scales: list[float]) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer = shape, kind, buffer
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = scales, [0] * len(scales)
    return tensor


def _buffer(model: schema.ModelT, values: np.ndarray) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _convolution(inputs: list[int], output: int) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [output]
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.Conv2DOptions, options
    return operator
