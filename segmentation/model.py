"""The U-Net, and the batch normalisation layer that trains fast on a CPU."""

import contextlib
import io
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from segmentation.config import DECODER_FILTERS

# Keras's MobileNetV2 has 0.999, whose averages lag a thousand steps behind the weights: half of a short training.
MOMENTUM = 0.99


def build_unet(
    input_size: tuple[int, int] = (192, 256),
    encoder_weights: str | Path | None = "imagenet",
    decoder_filters: tuple[int, ...] = DECODER_FILTERS,
) -> keras.Model:
    """U-Net (Ronneberger et al. 2015) with a MobileNetV2 encoder (Sandler et al. 2018) and a light decoder.

    Parameters
    ----------
    input_size : (height, width)
        Multiples of 32.
    encoder_weights : path, "imagenet" or None
        A `.h5` file without the top; `"imagenet"` lets Keras download it; None starts from random weights.
    decoder_filters : five ints
        Channels of the decoder's blocks, from the deepest to the input's resolution.

    Returns
    -------
    keras.Model
        RGB (N, H, W, 3) in 0..255 -> probability that a pixel is lesion (N, H, W, 1) in 0..1.
    """
    unet = _segmentation_models().Unet(
        "mobilenetv2",
        input_shape=(*input_size, 3),
        classes=1,
        activation="sigmoid",
        encoder_weights=None if encoder_weights is None else str(encoder_weights),
        decoder_filters=decoder_filters,
    )
    image = keras.Input((*input_size, 3), name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image)
    return keras.Model(image, with_fused_batch_normalization(unet)(scaled), name="lesion_unet")


def with_fused_batch_normalization(model: keras.Model) -> keras.Model:
    """Copy of a functional model, weights included, whose batch normalisation is `FusedBatchNormalization`."""

    def clone_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        if type(layer) is keras.layers.BatchNormalization:
            config = layer.get_config()
            return FusedBatchNormalization.from_config(
                {**config, "momentum": min(config["momentum"], MOMENTUM)}
            )
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone_layer)
    copy.set_weights(model.get_weights())
    return copy


@keras.saving.register_keras_serializable(package="lesion")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation over the channels of images (N, H, W, C), by TensorFlow's fused kernel in training.

    Keras 3 composes the operation from a dozen smaller ones, which costs nearly half of a training step on a CPU.
    Weights, settings and results are those of the base class; other backends than TensorFlow use it as it is.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or not self.trainable or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        # The kernel gives the sample's variance; Keras keeps the population's.
        values = tf.cast(tf.size(inputs) // tf.size(mean), variance.dtype)
        variance *= (values - 1) / values
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1 - self.momentum))
        return outputs


def _segmentation_models() -> ModuleType:
    """Import segmentation-models so that it works on Keras 3 with whichever backend is set.

    With TensorFlow it takes `tf.keras`. With another backend it must take `keras` itself, and looks there for two
    names that Keras 3 dropped.
    """
    if keras.backend.backend() == "tensorflow":
        os.environ["SM_FRAMEWORK"] = "tf.keras"
    else:
        os.environ["SM_FRAMEWORK"] = "keras"
        keras.utils.generic_utils = keras.utils
        keras.backend.int_shape = lambda tensor: tuple(tensor.shape)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints which framework it took
        import segmentation_models  # noqa: PLC0415 - reads the environment when it is imported

    return segmentation_models
