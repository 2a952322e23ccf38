"""The U-Net."""

import contextlib
import importlib
import io
import os
from pathlib import Path
from types import ModuleType

import keras

from segmentation.config import DECODER_FILTERS
from segmentation.encoders import ENCODERS
from segmentation.engine.normalization import copied, with_fused_batch_normalization
from segmentation.engine.run_folder import RunError
from segmentation.engine.starting import check_encoder, reading_encoder_weights

DECODER_LAYERS = ("decoder", "final")


def build_unet(
    input_size: tuple[int, int] = (192, 256),
    encoder_weights: str | Path | None = "imagenet",
    decoder_filters: tuple[int, ...] = DECODER_FILTERS,
    encoder: str = "mobilenetv2",
) -> keras.Model:
    """U-Net (Ronneberger et al. 2015) with a light decoder.

    Parameters
    ----------
    input_size : (height, width)
        Multiples of 32.
    encoder_weights : path, "imagenet" or None
        A `.h5` file without the top; `"imagenet"` lets Keras download it; None starts from random weights.
    decoder_filters : five ints
        Channels of the decoder's blocks, from the deepest to the input's resolution.
    encoder : str
        Of `segmentation.encoders.ENCODERS`; by default MobileNetV2 (Sandler et al. 2018).

    Returns
    -------
    keras.Model
        RGB (N, H, W, 3) in 0..255 -> probability that a pixel is lesion (N, H, W, 1) in 0..1.

    Raises
    ------
    RunError
        If there is no such encoder, or its weights can't be downloaded or read.
    """
    check_encoder(encoder, ENCODERS)
    with reading_encoder_weights(encoder_weights, encoder):
        unet = _segmentation_models().Unet(
            encoder,
            input_shape=(*input_size, 3),
            classes=1,
            activation="sigmoid",
            encoder_weights=None if encoder_weights is None else str(encoder_weights),
            decoder_filters=decoder_filters,
        )
    image = keras.Input((*input_size, 3), name="image")
    scaled = keras.layers.Rescaling(*ENCODERS[encoder], name="scale")(image)
    return keras.Model(image, with_fused_batch_normalization(unet, _of_keras)(scaled), name="lesion_unet")


def _of_keras(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A copy of a layer; of what the package `efficientnet` defines itself, Keras's equal, which loads without it."""
    if isinstance(layer, keras.layers.Dropout):
        return keras.layers.Dropout.from_config(layer.get_config())
    copy = copied(layer)
    if getattr(getattr(copy, "activation", None), "__name__", "") == "swish":
        copy.activation = keras.activations.silu
    return copy


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
        # It reads the environment when it is imported.
        return importlib.import_module("segmentation_models")


def start_unet_from(unet: keras.Model, source: keras.Model, name: object) -> None:
    """Give a U-Net the weights of another one, or its encoder those of a classifier, layer by layer of one name.

    Parameters
    ----------
    unet : keras.Model
        From `build_unet`.
    source : keras.Model
        From `build_unet`, or a classifier with a layer "encoder".
    name : what a message calls the source

    Raises
    ------
    RunError
        If the networks have other layers.
    """
    classifier = any(layer.name == "encoder" for layer in source.layers)
    learned = {
        layer.name: layer
        for layer in (source.get_layer("encoder") if classifier else source.layers[-1]).layers
    }
    own = {layer.name: layer for layer in unet.layers[-1].layers if layer.weights}
    lacking = [
        layer
        for layer in own
        if layer not in learned and not (classifier and layer.startswith(DECODER_LAYERS))
    ]
    try:
        for layer in own.keys() & learned.keys():
            own[layer].set_weights(learned[layer].get_weights())
    except ValueError:
        lacking.append("layers of these sizes")
    if lacking:
        raise RunError(f"{name} has no {lacking[0]} to start from; give a run of the same networks.")
