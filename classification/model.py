"""The MobileNetV2 classifier, and its class activation maps."""

from pathlib import Path

import keras
import numpy as np

from segmentation.engine.normalization import with_fused_batch_normalization
from segmentation.engine.run_folder import Run
from segmentation.engine.starting import reading_encoder_weights


def build_classifier(
    classes: int,
    input_side: int = 224,
    encoder_weights: str | Path | None = "imagenet",
    *,
    width: float = 1.0,
    dropout: float = 0.2,
    frozen_encoder: bool = False,
) -> keras.Model:
    """MobileNetV2 (Sandler et al. 2018) with global average pooling and one dense layer.

    Parameters
    ----------
    classes : int
    input_side : int
        Height and width of the input, a multiple of 32.
    encoder_weights : path, "imagenet" or None
        A `.h5` file without the top; `"imagenet"` lets Keras download it; None starts from random weights.
    width : float
        The width multiplier (alpha).
    dropout : float
    frozen_encoder : bool
        Whether only the head trains.

    Returns
    -------
    keras.Model
        RGB (N, S, S, 3) in 0..255 -> logits (N, classes).

    Raises
    ------
    RunError
        If the encoder's weights can't be downloaded or read.
    """
    with reading_encoder_weights(encoder_weights):
        mobilenet = keras.applications.MobileNetV2(
            input_shape=(input_side, input_side, 3),
            alpha=width,
            include_top=False,
            weights=None if encoder_weights is None else str(encoder_weights),
            name="encoder",
        )
    encoder = with_fused_batch_normalization(mobilenet)
    encoder.trainable = not frozen_encoder
    image = keras.Input((input_side, input_side, 3), name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(image)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(encoder(scaled))
    dropped = keras.layers.Dropout(dropout, name="dropout")(pooled)
    logits = keras.layers.Dense(classes, name="logits")(dropped)
    return keras.Model(image, logits, name="lesion_classifier")


def with_activation_map(classifier: keras.Model) -> keras.Model:
    """The classifier with a second output: its class activation map (Zhou et al. 2016).

    The map is the last features times the head's weights, without the bias: (N, S / 32, S / 32, classes). Its mean
    over the image plus the head's bias is the logit, so that it tells how much each place speaks for a class.
    """
    encoder, head = classifier.get_layer("encoder"), classifier.get_layer("logits")
    features = encoder(classifier.get_layer("scale")(classifier.input))
    pooled = classifier.get_layer("pool")(features)
    weigh = keras.layers.Conv2D(head.units, 1, use_bias=False, name="activation_map")
    activation_map = weigh(features)
    weigh.set_weights([head.get_weights()[0][None, None]])
    return keras.Model(classifier.input, [head(pooled), activation_map], name="explained_classifier")


def load_classifier(run: Run) -> keras.Model:
    """The run's best model, with what its training gave back to the logits of the classes' shares."""
    model = keras.models.load_model(run.model_path, compile=False)
    if shift := run.metrics.get("prior_shift"):
        kernel, bias = model.get_layer("logits").get_weights()
        model.get_layer("logits").set_weights([kernel, bias + np.array(shift, bias.dtype)])
    return model
