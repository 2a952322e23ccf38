"""Confidence is compared with accuracy, and a temperature mends it."""

import numpy as np
import pytest
from scipy.special import softmax

from classification.calibration import (
    calibration_interval,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
)
from data.intervals import lesion_weights


def two_class(confidences: list[float]) -> np.ndarray:
    """Probabilities of class 0 and 1 that diagnose class 0 with these confidences."""
    return np.array([[confidence, 1 - confidence] for confidence in confidences])


def test_error_is_the_gap_between_confidence_and_accuracy_weighted_by_images() -> None:
    # Two images in the bin of 0.9, one of them right: gap 0.4. Two in the bin of 0.6, both right: gap 0.4.
    probabilities = two_class([0.9, 0.9, 0.6, 0.6])

    assert expected_calibration_error(probabilities, np.array([0, 1, 0, 0])) == pytest.approx(0.4)


def test_gaps_of_one_bin_cancel_and_gaps_of_two_bins_do_not() -> None:
    probabilities, labels = two_class([0.75, 0.65, 0.75, 0.65]), np.array([0, 1, 0, 1])

    assert expected_calibration_error(probabilities, labels, bins=2) == pytest.approx(0.2)
    assert expected_calibration_error(probabilities, labels, bins=10) == pytest.approx(0.45)


def test_a_bin_holds_its_upper_edge_and_not_its_lower() -> None:
    bins = reliability_bins(two_class([0.6, 0.8, 0.81, 1.0]), np.zeros(4, int), bins=5)

    np.testing.assert_array_equal(bins.count, [0, 0, 1, 1, 2])


def test_bins_without_an_image_have_no_figure() -> None:
    bins = reliability_bins(two_class([0.9, 0.9]), np.array([0, 1]), bins=2)

    np.testing.assert_array_equal(bins.confidence, [np.nan, 0.9])
    np.testing.assert_array_equal(bins.accuracy, [np.nan, 0.5])


def test_interval_of_the_error_is_that_of_its_resamples() -> None:
    rng = np.random.default_rng(0)
    probabilities = two_class(list(rng.uniform(0.5, 1, 40)))
    labels = rng.integers(0, 2, 40)
    weights = lesion_weights(np.arange(40), 60, seed=0)

    interval = calibration_interval(probabilities, labels, weights)

    resampled = [np.repeat(np.arange(40), row.astype(int)) for row in weights]
    errors = [expected_calibration_error(probabilities[drawn], labels[drawn]) for drawn in resampled]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.percentile(errors, [2.5, 97.5])))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_temperature_is_found_again(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 3))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)

    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)


def test_temperature_lowers_the_calibration_error_of_a_classifier_that_is_too_sure() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1, (2000, 3))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((2000, 1))).sum(axis=1)
    too_sure = 4 * logits

    mended = softmax(too_sure / fit_temperature(too_sure, labels), axis=1)

    assert expected_calibration_error(softmax(too_sure, axis=1), labels) > 0.2
    assert expected_calibration_error(mended, labels) < 0.05


def test_temperature_needs_images() -> None:
    with pytest.raises(ValueError, match="without images"):
        fit_temperature(np.empty((0, 3)), np.empty(0, int))
