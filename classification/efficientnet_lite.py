"""EfficientNet-Lite, which `keras.applications` lacks: EfficientNet without what is slow on small devices.

Tan and Le 2019 (arXiv 1905.11946) for the network; Liu 2020, "Higher accuracy on vision models with EfficientNet-Lite",
for what is left out: no squeeze-and-excitation, ReLU6 in place of swish, stem and head of one width for all.
"""

from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import keras

STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
EPSILON, MOMENTUM = 1e-3, 0.99
DROPPED_BLOCKS = 0.2  # of the last block; of those before it in proportion


class Stage(NamedTuple):
    """Blocks of one resolution."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def efficientnet_lite0(**options: Any) -> keras.Model:
    """EfficientNet-Lite0, 3.4 million parameters; options of `efficientnet_lite`."""
    return efficientnet_lite(1.0, 1.0, **options)


def efficientnet_lite2(**options: Any) -> keras.Model:
    """EfficientNet-Lite2, 4.9 million parameters; options of `efficientnet_lite`."""
    return efficientnet_lite(1.1, 1.2, **options)


def efficientnet_lite(
    width: float,
    depth: float,
    *,
    input_shape: tuple[int, int, int],
    weights: str | Path | None = None,
    include_top: bool = False,
) -> keras.Model:
    """The network without its top.

    Parameters
    ----------
    width, depth : float
        Multipliers of channels and of blocks.
    input_shape : (H, W, 3)
    weights : path, optional
        A `.weights.h5` of this network; random weights by default.
    include_top : False
        For the sake of the call that `keras.applications` has.

    Returns
    -------
    keras.Model
        RGB (N, H, W, 3), (value - 127) / 128 -> features (N, H / 32, W / 32, 1280).

    Raises
    ------
    ValueError
        If a top is asked for, or "imagenet" is, which Keras has no address of.
    """
    if include_top or str(weights) == "imagenet":
        raise ValueError("Keras has neither a top nor ImageNet weights of EfficientNet-Lite")
    image = keras.Input(input_shape)
    features = _normalised(
        keras.layers.Conv2D(STEM_CHANNELS, 3, 2, "same", use_bias=False, name="stem_conv")(image),
        "stem",
        True,
    )
    repeats = [
        stage.blocks if stage in (STAGES[0], STAGES[-1]) else ceil(depth * stage.blocks) for stage in STAGES
    ]
    number = 0
    for stage, blocks in zip(STAGES, repeats, strict=True):
        for index in range(blocks):
            name, dropped = f"block{number}", DROPPED_BLOCKS * number / sum(repeats)
            features = _block(features, stage, rounded(width * stage.channels), index == 0, dropped, name)
            number += 1
    head = keras.layers.Conv2D(HEAD_CHANNELS, 1, use_bias=False, name="head_conv")(features)
    network = keras.Model(image, _normalised(head, "head", True), name="efficientnet_lite")
    if weights is not None:
        network.load_weights(weights)
    return network


def rounded(channels: float) -> int:
    """The nearest multiple of 8 that takes no more than a tenth of the channels away.

    Examples
    --------
    >>> rounded(1.1 * 40), rounded(1.1 * 24), rounded(1.1 * 320)
    (48, 24, 352)
    """
    multiple = max(8, int(channels + 4) // 8 * 8)
    return multiple if multiple >= 0.9 * channels else multiple + 8


def _block(inputs: Any, stage: Stage, channels: int, first: bool, dropped: float, name: str) -> Any:
    """An inverted residual (Sandler et al. 2018); `dropped` is the part of the images whose block is skipped."""
    stride, known = stage.stride if first else 1, inputs.shape[-1]
    features = inputs
    if stage.expansion > 1:
        expand = keras.layers.Conv2D(known * stage.expansion, 1, use_bias=False, name=f"{name}_expand_conv")
        features = _normalised(expand(features), f"{name}_expand", True)
    depthwise = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv"
    )
    features = _normalised(depthwise(features), f"{name}_depthwise", True)
    project = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")
    features = _normalised(project(features), f"{name}_project", False)
    if stride > 1 or known != channels:
        return features
    if dropped:
        features = keras.layers.Dropout(dropped, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(features)
    return keras.layers.Add(name=f"{name}_add")([inputs, features])


def _normalised(features: Any, name: str, activated: bool) -> Any:
    layer = keras.layers.BatchNormalization(epsilon=EPSILON, momentum=MOMENTUM, name=f"{name}_bn")
    features = layer(features)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(features) if activated else features
