"""A trained Keras model -> a LiteRT file."""

import contextlib
import io
from typing import Any

import numpy as np

from data.silence import silent_standard_error
from pipeline.export.quantisation import refine


def convert(model: Any, calibration: np.ndarray, precision: str) -> bytes:
    """LiteRT's file of a Keras model for one image at a time.

    Parameters
    ----------
    model : keras.Model
    calibration : uint8 array (N, H, W, 3)
        Inputs that show int8 the range of every tensor, and what the rounding of its weights loses.
    precision : "float32", "float16" (weights only) or "int8" (weights and activations, per channel)
    """
    if precision != "int8":
        return convert_plainly(model, calibration, precision)
    exact, quantised = (convert_plainly(model, calibration, each) for each in ("float32", "int8"))
    return refine(quantised, exact, calibration)


def convert_plainly(model: Any, calibration: np.ndarray, precision: str) -> bytes:
    """As `convert`, with TensorFlow's own quantisation, in which every weight is rounded to the nearest level."""
    import tensorflow as tf  # noqa: PLC0415

    converter = litert_converter(model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: (
            [sample[None].astype(np.float32)] for sample in calibration
        )
        converter.inference_input_type = tf.uint8
    return run_converter(converter)


def litert_converter(model: Any) -> Any:
    """TensorFlow's converter of a Keras model for batches of one.

    The model's graph is given with its weights as constants. Left to itself the converter writes a SavedModel and reads
    it again, which takes four times as long and makes the same network.
    """
    import tensorflow as tf  # noqa: PLC0415
    from tensorflow.python.framework.convert_to_constants import (  # noqa: PLC0415 - it has no public name
        convert_variables_to_constants_v2,
    )

    image = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    graph = tf.function(lambda image: model(image, training=False)).get_concrete_function(image)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(graph)])
    converter.experimental_lower_to_saved_model = False
    return converter


def run_converter(converter: Any) -> bytes:
    """The converter's file, without what it says meanwhile."""
    with silent_standard_error(), contextlib.redirect_stdout(io.StringIO()):
        content: bytes = converter.convert()
    return content
