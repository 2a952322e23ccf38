"""The structure of a LiteRT file, checked before native code follows its offsets and indices."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.bundle.litert import ModelError

IDENTIFIER = b"TFL3"
MOST_VALUES = 2**28  # of a tensor
NO_TENSOR = -1
# Operators that call other graphs or code, or that keep a state; a network of one image to arrays has none.
REFUSED = (
    "CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES", "CALL", "CALL_ONCE", "IF", "WHILE", "VAR_HANDLE",
    "READ_VARIABLE", "ASSIGN_VARIABLE", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE",
    "STABLEHLO_WHILE", "STABLEHLO_CUSTOM_CALL", "STABLEHLO_COMPOSITE",
)  # fmt: skip
SIZES = {
    "FLOAT32": 4, "FLOAT16": 2, "INT32": 4, "UINT8": 1, "INT64": 8, "INT16": 2, "INT8": 1, "FLOAT64": 8, "BOOL": 1,
    "UINT16": 2, "UINT32": 4, "UINT64": 8,
}  # fmt: skip
FLOATS = {"FLOAT32": np.float32, "FLOAT16": np.float16, "FLOAT64": np.float64}


def check_flatbuffer(path: Path) -> None:
    """Raise ModelError where a `.tflite` file is no FlatBuffer of one network that holds together.

    Every offset is followed within the file, and every operator must take tensors that are there before it: constants,
    the input, or what an earlier operator made.
    """
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        raise ModelError(f"{path}: is no LiteRT model")
    try:
        faults = list(_faults(_unpacked(content)))
    except Exception as error:  # whatever the reader stumbles over is damage
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"{path}: the model's file is damaged ({reason})") from error
    if faults:
        raise ModelError(f"{path}: the model's file is damaged ({faults[0]})")


def _unpacked(content: bytes) -> Any:
    from ai_edge_litert.schema_py_generated import ModelT  # noqa: PLC0415 - only a stranger's model needs it

    return ModelT.InitFromPackedBuf(content)


def _faults(model: Any) -> Iterator[str]:
    """What is wrong with an unpacked model, in words."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator  # noqa: PLC0415

    if model.subgraphs is None or len(model.subgraphs) != 1:
        yield "it must hold one graph"
        return
    names = {value: name for name, value in vars(BuiltinOperator).items() if isinstance(value, int)}
    kinds = [names.get(max(code.builtinCode, code.deprecatedBuiltinCode)) for code in model.operatorCodes]
    yield from (f"the operator {kind} is not allowed" for kind in kinds if kind is None or kind in REFUSED)
    (graph,) = model.subgraphs
    for number, tensor in enumerate(graph.tensors):
        yield from (f"tensor {number} {fault}" for fault in _tensor_faults(tensor, model.buffers))
    yield from _graph_faults(graph, len(kinds), model.buffers)


def _tensor_faults(tensor: Any, buffers: list[Any]) -> Iterator[str]:
    from ai_edge_litert.schema_py_generated import TensorType  # noqa: PLC0415

    types = {value: name for name, value in vars(TensorType).items() if isinstance(value, int)}
    size = SIZES.get(types.get(tensor.type, ""))
    shape = [] if tensor.shape is None else [int(length) for length in tensor.shape]
    if size is None:
        yield "has an unknown type"
    elif not 0 <= tensor.buffer < len(buffers):
        yield "has no buffer"
    elif any(length < 1 for length in shape) or math.prod(shape) > MOST_VALUES:
        yield f"has the shape {shape}"
    elif (
        not _is_empty(buffers[tensor.buffer]) and len(buffers[tensor.buffer].data) != math.prod(shape) * size
    ):
        yield "has a buffer of another size"
    elif types[tensor.type] in FLOATS and not _is_finite(buffers[tensor.buffer], FLOATS[types[tensor.type]]):
        yield "holds what is no number"


def _graph_faults(graph: Any, codes: int, buffers: list[Any]) -> Iterator[str]:
    count = len(graph.tensors)
    constant = {
        number
        for number, tensor in enumerate(graph.tensors)
        if 0 <= tensor.buffer < len(buffers) and not _is_empty(buffers[tensor.buffer])
    }
    known = constant | set(_indices(graph.inputs))
    if len(_indices(graph.inputs)) != 1 or not known <= set(range(count)):
        yield "it must have one input"
    for number, operator in enumerate(graph.operators):
        inputs, outputs = _indices(operator.inputs), _indices(operator.outputs)
        if not 0 <= operator.opcodeIndex < codes:
            yield f"operator {number} is of no kind"
        if not set(inputs) - {NO_TENSOR} <= known:
            yield f"operator {number} takes a tensor that is not there"
        if not outputs or not set(outputs) <= set(range(count)) - constant:
            yield f"operator {number} has no place for what it makes"
        known |= set(outputs)
    if not set(_indices(graph.outputs)) <= known:
        yield "an output is not there"


def _indices(values: Iterable[Any] | None) -> list[int]:
    return [] if values is None else [int(value) for value in np.asarray(values).ravel()]


def _is_finite(buffer: Any, kind: Any) -> bool:
    return _is_empty(buffer) or bool(np.isfinite(np.frombuffer(bytes(buffer.data), kind)).all())


def _is_empty(buffer: Any) -> bool:
    return buffer.data is None or len(buffer.data) == 0
