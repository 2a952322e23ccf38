"""The networks that a classifier can be made of, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from segmentation.engine.scaling import ABOUT_ZERO, STANDARDISED, TO_ONE, Scaling


@dataclass(frozen=True)
class Encoder:
    """A network of `keras.applications`, or of `classification.efficientnet_lite`.

    Attributes
    ----------
    network : str
        Its name there.
    scaling : Scaling
        What it expects of the image's values.
    widths : bool
        Whether it has a width multiplier, `alpha`.
    first_layer : str, optional
        Where it begins after layers that scale the image by themselves; ours take their place.
    options : of its function
    """

    network: str
    scaling: Scaling
    widths: bool = False
    first_layer: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


_UNSCALED = {"include_preprocessing": False}
ENCODERS = {
    "mobilenetv2": Encoder("MobileNetV2", TO_ONE, widths=True),
    "mobilenet": Encoder("MobileNet", TO_ONE, widths=True),
    "mobilenetv3small": Encoder("MobileNetV3Small", TO_ONE, widths=True, options=_UNSCALED),
    "mobilenetv3large": Encoder("MobileNetV3Large", TO_ONE, widths=True, options=_UNSCALED),
    "efficientnetb0": Encoder("EfficientNetB0", STANDARDISED, first_layer="stem_conv_pad"),
    "efficientnetlite0": Encoder("EfficientNetLite0", ABOUT_ZERO),
    "efficientnetlite2": Encoder("EfficientNetLite2", ABOUT_ZERO),
}
