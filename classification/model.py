"""The classifier, and its class activation maps."""

from pathlib import Path

import keras

from classification.efficientnet_lite import efficientnet_lite0, efficientnet_lite2
from classification.encoders import ENCODERS
from classification.priors import ClassPrior
from segmentation.engine.normalization import with_fused_batch_normalization
from segmentation.engine.run_folder import Run, RunError
from segmentation.engine.starting import check_encoder, reading_encoder_weights

LITE = {"EfficientNetLite0": efficientnet_lite0, "EfficientNetLite2": efficientnet_lite2}


def build_classifier(
    classes: int,
    input_side: int = 224,
    encoder_weights: str | Path | None = "imagenet",
    *,
    encoder: str = "mobilenetv2",
    width: float = 1.0,
    dropout: float = 0.2,
    frozen_encoder: bool = False,
    frozen_stride: int = 0,
) -> keras.Model:
    """An encoder, MobileNetV2 (Sandler et al. 2018) unless told, with global average pooling and one dense layer.

    Parameters
    ----------
    classes : int
    input_side : int
        Height and width of the input, a multiple of 32.
    encoder_weights : path, "imagenet" or None
        A `.h5` file without the top; `"imagenet"` lets Keras download it; None starts from random weights.
    encoder : str
        Of `classification.encoders.ENCODERS`.
    width : float
        The width multiplier (alpha), where the encoder has one.
    dropout : float
    frozen_encoder : bool
        Whether only the head trains.
    frozen_stride : int
        The encoder's layers up to the last one whose maps are at least `input_side / frozen_stride` do not train.

    Returns
    -------
    keras.Model
        RGB (N, S, S, 3) in 0..255 -> logits (N, classes).

    Raises
    ------
    RunError
        If there is no such encoder, or its weights can't be downloaded or read.
    """
    with reading_encoder_weights(encoder_weights, encoder):
        network = with_fused_batch_normalization(_encoder(encoder, input_side, encoder_weights, width))
    network.trainable = not frozen_encoder
    if frozen_stride:
        freeze_large_maps(network, input_side / frozen_stride)
    image = keras.Input((input_side, input_side, 3), name="image")
    scaled = keras.layers.Rescaling(*ENCODERS[encoder].scaling, name="scale")(image)
    features = network(scaled)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    dropped = keras.layers.Dropout(dropout, name="dropout")(pooled)
    logits = keras.layers.Dense(classes, name="logits")(dropped)
    return keras.Model(image, logits, name="lesion_classifier")


def freeze_large_maps(encoder: keras.Model, side: float) -> None:
    """Let the layers up to the last one whose maps are at least `side` high keep their weights.

    They hold few of the weights and cost most of a training step: without their gradients a step of MobileNetV2 takes
    half the time at a stride of 8.
    """
    heights = [layer.output.shape[1] if len(layer.output.shape) == 4 else 0 for layer in encoder.layers]
    large = [place for place, height in enumerate(heights) if height >= side]
    for layer in encoder.layers[: max(large) + 1]:
        layer.trainable = False


def _encoder(name: str, input_side: int, weights: str | Path | None, width: float) -> keras.Model:
    """The network without its top: scaled RGB (N, S, S, 3) -> features (N, S / 32, S / 32, C)."""
    check_encoder(name, ENCODERS)
    encoder = ENCODERS[name]
    if width != 1 and not encoder.widths:
        raise RunError(f"{name} has one width only; leave out --width.")
    options = {**encoder.options, **({"alpha": width} if encoder.widths else {})}
    network = LITE.get(encoder.network) or getattr(keras.applications, encoder.network)
    model = network(
        input_shape=(input_side, input_side, 3),
        include_top=False,
        weights=None if weights is None else str(weights),
        **options,
    )
    first = model if encoder.first_layer is None else model.get_layer(encoder.first_layer)
    return keras.Model(first.input, model.output, name="encoder")


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


def load_classifier(run: Run, prior_strength: float | None = None) -> keras.Model:
    """The run's best model, with what its logits shall have of the classes' shares.

    Parameters
    ----------
    run : Run
        Of a classification.
    prior_strength : float in 0..1, optional
        See `ClassificationConfig`; by default what the run has chosen.

    Raises
    ------
    RunError
        If a strength is given and the run does not know which shares of the classes it has learned.
    """
    model = keras.models.load_model(run.model_path, compile=False)
    prior = ClassPrior.from_metrics(run.metrics)
    if prior is not None:
        kernel, bias = model.get_layer("logits").get_weights()
        model.get_layer("logits").set_weights([kernel, bias + prior.shift(prior_strength)])
    elif prior_strength is not None:
        raise RunError(
            f"{run.folder} does not know which shares of the classes it has learned (an earlier version made it, or it "
            "was trained with --imbalance focal); leave out --prior-strength."
        )
    return model
