"""What pretrained networks expect of an image's values, so that a model's first layer can give it to them."""

from typing import NamedTuple

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Scaling(NamedTuple):
    """Values of 0..255 times `scale` plus `offset`, both for all channels or one a channel."""

    scale: float | list[float]
    offset: float | list[float]


TO_ONE = Scaling(1 / 127.5, -1.0)  # -1..1
ABOUT_ZERO = Scaling(1 / 128, -127 / 128)  # as EfficientNet-Lite has it
AS_IT_IS = Scaling(1.0, 0.0)
STANDARDISED = Scaling(
    [1 / (255 * deviation) for deviation in IMAGENET_DEVIATION],
    [-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)],
)
