"""A trained network -> an ONNX graph that takes an image of any size and gives what its user wants to know.

The resizing is that of `data.resizing.resize`, as two products with matrices of weights, which every runtime has.
"""

from collections.abc import Callable, Mapping
from typing import Any

import onnx
import tensorflow as tf
import tf2onnx

from data.silence import silent_standard_error

OPSET = 18
IR_VERSION = 8  # that of the opset's time, so that older runtimes read the file, too
IMAGE = "image"
SIDES = ("height", "width")


def segmentation_graph(model: Any, threshold: float) -> onnx.ModelProto:
    """The U-Net from image to mask.

    Parameters
    ----------
    model : keras.Model
        RGB (N, h, w, 3) in 0..255 -> probability (N, h, w, 1).
    threshold : float in 0..1

    Returns
    -------
    onnx.ModelProto
        `image` uint8 (height, width, 3) -> `probability` float32 (height, width) and `mask` bool (height, width).
    """

    def answer(image: Any) -> tuple[Any, ...]:
        probability = model(_network_input(image, model), training=False)[0]
        own_size = _resized(probability, tf.shape(image)[0], tf.shape(image)[1])[:, :, 0]
        return own_size, own_size >= threshold

    return _graph(answer, {"probability": SIDES, "mask": SIDES})


def classification_graph(model: Any, temperature: float) -> onnx.ModelProto:
    """The classifier from crop to calibrated probabilities.

    Parameters
    ----------
    model : keras.Model
        RGB (N, h, w, 3) in 0..255 -> logits (N, C).
    temperature : float over 0

    Returns
    -------
    onnx.ModelProto
        `image` uint8 (height, width, 3) -> `probabilities` float32 (C,).
    """

    def answer(image: Any) -> tuple[Any, ...]:
        logits = model(_network_input(image, model), training=False)[0]
        return (tf.nn.softmax(logits / temperature),)

    return _graph(answer, {"probabilities": (model.output_shape[-1],)})


def _network_input(image: Any, model: Any) -> Any:
    """An image in the model's size, rounded as the pixels are that it learned from."""
    _, height, width, _ = model.input_shape
    return tf.round(_resized(tf.cast(image, tf.float32), height, width))[None]


def _resized(image: Any, height: Any, width: Any) -> Any:
    """Float32 (H, W, C) -> (height, width, C), one axis after the other."""
    before = tf.shape(image)
    channels = image.shape[2]
    shrinks = height * width < before[0] * before[1]
    rows = tf.matmul(_weights(before[0], height, shrinks), tf.reshape(image, [before[0], -1]))
    columns = tf.transpose(tf.reshape(rows, [height, before[1], channels]), [1, 0, 2])
    columns = tf.matmul(_weights(before[1], width, shrinks), tf.reshape(columns, [before[1], -1]))
    return tf.transpose(tf.reshape(columns, [width, height, channels]), [1, 0, 2])


def _weights(before: Any, after: Any, shrinks: Any) -> Any:
    """What each pixel of an axis counts in each new one (after, before): its share of the area, or linearly."""
    length = tf.cast(before, tf.float32)
    step = length / tf.cast(after, tf.float32)
    new = tf.cast(tf.range(after), tf.float32)[:, None]
    old = tf.cast(tf.range(before), tf.float32)[None]
    area = tf.maximum(tf.minimum((new + 1) * step, old + 1) - tf.maximum(new * step, old), 0.0) / step
    centre = tf.clip_by_value((new + 0.5) * step - 0.5, 0.0, length - 1)
    return tf.where(shrinks, area, tf.maximum(1 - tf.abs(centre - old), 0.0))


def _graph(
    answer: Callable[[Any], tuple[Any, ...]], outputs: Mapping[str, tuple[Any, ...]]
) -> onnx.ModelProto:
    """The graph of a function of an image, its outputs and their axes named as given."""
    signature = [tf.TensorSpec((None, None, 3), tf.uint8, name=IMAGE)]
    graph: onnx.ModelProto
    with silent_standard_error():
        graph, _ = tf2onnx.convert.from_function(
            tf.function(answer, input_signature=signature), input_signature=signature, opset=OPSET
        )
    for output, (name, axes) in zip(graph.graph.output, outputs.items(), strict=True):
        graph.graph.node.append(onnx.helper.make_node("Identity", [output.name], [name]))
        kind = output.type.tensor_type.elem_type
        output.CopyFrom(onnx.helper.make_tensor_value_info(name, kind, axes))
    (image,) = graph.graph.input
    image.CopyFrom(onnx.helper.make_tensor_value_info(image.name, onnx.TensorProto.UINT8, (*SIDES, 3)))
    graph.ir_version = IR_VERSION
    onnx.checker.check_model(graph)
    return graph
