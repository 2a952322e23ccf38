"""Rare classes count more in the losses that are made for them."""

import numpy as np
import pytest

from classification.config import ClassificationConfig
from classification.losses import loss_for
from classification.priors import log_shares

LABELS = np.array([0] * 9 + [1])


def loss_of(imbalance: str, target: int, logits: tuple[float, float]) -> float:
    config = ClassificationConfig(imbalance=imbalance, label_smoothing=0.0)
    targets = np.eye(2, dtype=np.float32)[[target]]
    return float(np.mean(loss_for(config, LABELS)(targets, np.array([logits], np.float32))))


def test_shares_count_one_image_more_in_each_class() -> None:
    assert np.exp(log_shares(LABELS, 2)) == pytest.approx([10 / 12, 2 / 12])


def test_logit_adjustment_asks_for_a_margin_by_the_classes_shares() -> None:
    equal = (0.0, 0.0)
    assert loss_of("logit-adjustment", 1, equal) == pytest.approx(np.log(6))  # -log(2 / 12)
    assert loss_of("logit-adjustment", 0, equal) == pytest.approx(np.log(1.2))
    ahead_by_the_shares = (0.0, np.log(5))
    assert loss_of("logit-adjustment", 1, ahead_by_the_shares) == pytest.approx(np.log(2))


def test_class_weights_multiply_the_loss_of_rare_classes() -> None:
    assert loss_of("class-weights", 1, (0, 0)) == pytest.approx(9 * loss_of("class-weights", 0, (0, 0)))
