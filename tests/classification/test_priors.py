"""How much of the classes' shares the logits get back is chosen by likelihood."""

import numpy as np
import pytest

from classification.priors import likeliest, prior_strengths

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
