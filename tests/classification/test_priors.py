"""Logits hold the shares of the classes that were learned, and can answer with others."""

import numpy as np
import pytest

from classification.priors import ClassPrior, learned_log_shares, likeliest, log_shares, prior_strengths

SHARES = np.log([0.9, 0.1])


def balanced_logits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits that know the two classes' densities, and labels that come in the ratio of 9 to 1."""
    rng = np.random.default_rng(0)
    labels = (rng.random(count) < 0.1).astype(int)
    signs = rng.normal(2 * labels - 1, 1.5)
    return np.stack([np.zeros(count), 2 * signs / 1.5**2], axis=1), labels


def test_the_likeliest_strength_is_the_whole_prior_where_the_logits_know_densities() -> None:
    worths = prior_strengths(*balanced_logits(20_000), SHARES)
    assert likeliest(worths) == pytest.approx(1.0, abs=0.11)


def test_no_prior_has_the_best_balanced_accuracy_and_the_whole_one_the_best_calibration() -> None:
    worths = {worth["strength"]: worth for worth in prior_strengths(*balanced_logits(20_000), SHARES)}
    assert worths[0.0]["balanced_accuracy"] > worths[1.0]["balanced_accuracy"] + 0.05
    assert worths[1.0]["calibration_error"] < worths[0.0]["calibration_error"]


LABELS = np.repeat([0, 1], [90, 10])


@pytest.mark.parametrize(
    ("imbalance", "shares"),
    [
        ("none", (91 / 102, 11 / 102)),
        ("square-root", (76 / 102, 26 / 102)),
        ("balanced", (0.5, 0.5)),
    ],
)
def test_a_network_learns_the_shares_in_which_the_classes_are_drawn(imbalance: str, shares: tuple) -> None:
    learned = learned_log_shares(imbalance, LABELS, 2)
    assert learned is not None
    assert np.exp(learned) == pytest.approx(shares)


def test_some_losses_make_the_classes_alike_and_one_leaves_no_shares() -> None:
    for imbalance in ("logit-adjustment", "class-weights"):
        learned = learned_log_shares(imbalance, LABELS, 2)
        assert learned is not None
        assert learned.tolist() == [0, 0]
    assert learned_log_shares("focal", LABELS, 2) is None


def test_weights_of_images_change_the_shares_that_are_learned() -> None:
    learned = learned_log_shares("none", LABELS, 2, np.where(LABELS == 1, 9.0, 1.0))
    assert learned is not None
    assert np.exp(learned) == pytest.approx([0.5, 0.5])


def test_logits_of_one_draw_answer_with_the_shares_of_validation() -> None:
    """A network that drew both classes alike, with strength 1, says what one that learned natural shares says."""
    natural = np.log([0.9, 0.1]) + np.array([0.3, -0.2])
    learned = learned_log_shares("balanced", LABELS, 2)
    assert learned is not None
    prior = ClassPrior(learned, np.log([0.9, 0.1]), None)
    balanced = natural - np.log([0.9, 0.1]) + learned
    assert balanced + prior.shift(1.0) == pytest.approx(natural)
    assert prior.shift().tolist() == [0, 0]


@pytest.mark.parametrize("strength", [None, 0.0, 0.5])
def test_a_prior_is_kept_among_the_metrics(strength: float | None) -> None:
    prior = ClassPrior(np.log([0.6, 0.4]), log_shares(LABELS, 2), strength)
    again = ClassPrior.from_metrics(prior.to_metrics())
    assert again is not None
    assert again.strength == strength
    for kind in (None, 0.0, 0.3, 1.0):
        assert again.shift(kind) == pytest.approx(prior.shift(kind))


def test_metrics_of_earlier_versions_are_read() -> None:
    """They kept the strength of a training with logit adjustment, and the shift by it."""
    prior = ClassPrior.from_metrics({"prior_strength": 0.5, "prior_shift": (0.5 * SHARES).tolist()})
    assert prior is not None
    assert prior.shift() == pytest.approx(0.5 * SHARES)
    assert prior.shift(1.0) == pytest.approx(SHARES)
    assert ClassPrior.from_metrics({}) is None
    assert ClassPrior.from_metrics({"prior_strength": 0.0, "prior_shift": [0.0, 0.0]}) is None
