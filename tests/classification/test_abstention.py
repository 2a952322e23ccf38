"""Leaving out the marked diagnoses changes coverage and accuracy as counting by hand says."""

import json

import numpy as np
import pytest

from classification.abstention import AbstentionScores

# Class 0 is diagnosed in all of them: right where the label is 0.
LABELS = np.array([0, 0, 0, 1, 0, 1, 1, 1])
CONFIDENCES = np.array([0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6])
LESIONS = np.arange(8)


def scores(marked: np.ndarray, labels: np.ndarray = LABELS, resamples: int = 0) -> AbstentionScores:
    probabilities = np.stack([CONFIDENCES, 1 - CONFIDENCES], axis=1)
    return AbstentionScores.from_predictions(labels, probabilities, marked, LESIONS, resamples=resamples)


def test_the_marked_are_left_out_of_the_accuracy() -> None:
    found = scores(marked=CONFIDENCES < 0.72)
    assert (found.images, found.kept) == (8, 5)
    assert found.coverage.value == pytest.approx(5 / 8)
    assert found.accuracy.value == pytest.approx(4 / 5)
    assert found.balanced_accuracy.value == pytest.approx((1 + 0) / 2)
    assert found.marked_accuracy.value == 0


def test_the_curve_keeps_the_most_confident_first() -> None:
    curve = {round(point.coverage, 3): point for point in scores(np.zeros(8, bool)).curve}
    assert curve[0.375].accuracy == 1
    assert curve[0.5].accuracy == 0.75
    assert curve[0.5].confidence == 0.8
    assert curve[1.0].accuracy == 0.5
    assert curve[1.0].balanced_accuracy == 0.5
    assert np.isnan(curve[0.375].balanced_accuracy), "class 1 has no image among the first three"


def test_the_mean_risk_is_the_mean_of_the_error_over_all_coverages() -> None:
    errors = [0, 0, 0, 1 / 4, 1 / 5, 2 / 6, 3 / 7, 4 / 8]
    assert scores(np.zeros(8, bool)).mean_risk == pytest.approx(np.mean(errors))


def test_intervals_are_drawn_over_lesions() -> None:
    found = scores(marked=CONFIDENCES < 0.72, resamples=200)
    assert found.coverage.low < 5 / 8 < found.coverage.high
    assert found.accuracy.low < 4 / 5 <= found.accuracy.high


@pytest.mark.parametrize("all_marked", [True, False])
def test_none_or_all_may_be_marked(all_marked: bool) -> None:
    found = scores(np.full(8, all_marked), resamples=5)
    empty = found.accuracy if all_marked else found.marked_accuracy
    assert found.coverage.value == (0 if all_marked else 1)
    assert np.isnan(empty.value)
    json.dumps(found.to_dict(), allow_nan=False)
    assert f"{found.kept} of 8 images" in found.to_text()
