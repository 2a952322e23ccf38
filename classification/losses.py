"""Losses for unbalanced classes."""

from typing import Any

import keras
import numpy as np
from keras import ops

from classification.config import ClassificationConfig
from classification.priors import log_shares


def class_weights(labels: np.ndarray, image_weights: np.ndarray | None = None) -> np.ndarray:
    """Weight of each class by the inverse of its count; their mean over the images is 1."""
    counts = np.bincount(labels, weights=image_weights)
    weights: np.ndarray = counts.sum() / (len(counts) * counts)
    return weights


def loss_for(
    config: ClassificationConfig, labels: np.ndarray, image_weights: np.ndarray | None = None
) -> Any:
    """The loss of logits (B, C) against targets (B, C) that the settings ask for.

    Parameters
    ----------
    config : ClassificationConfig
    labels : int array (N,)
        Of the training images, in which every class occurs.
    image_weights : float array (N,), optional
        How many times as often each is drawn.
    """
    smoothing, weights_of_classes = config.label_smoothing, class_weights(labels, image_weights)
    if config.imbalance == "logit-adjustment":
        plain = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
        shift = log_shares(labels, len(weights_of_classes), image_weights).astype("float32")

        def logit_adjusted_cross_entropy(targets: Any, logits: Any) -> Any:
            return plain(targets, logits + shift)

        return logit_adjusted_cross_entropy
    if config.imbalance == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=weights_of_classes / weights_of_classes.sum(),
            gamma=2.0,
            from_logits=True,
            label_smoothing=smoothing,
        )
    if config.imbalance == "class-weights":
        weights = weights_of_classes.astype("float32")

        def weighted_cross_entropy(labels: Any, logits: Any) -> Any:
            smoothed = labels * (1 - smoothing) + smoothing / len(weights)
            losses = ops.categorical_crossentropy(smoothed, logits, from_logits=True)
            return losses * ops.sum(labels * weights, axis=-1)

        return weighted_cross_entropy
    return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
