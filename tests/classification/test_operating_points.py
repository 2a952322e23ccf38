"""Operating points, counted by hand."""

import numpy as np

from classification.operating_points import operating_points, points_text

CLASSES = ("mel", "nv")
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
MELANOMA = np.array([0.9, 0.8, 0.6, 0.2, 0.7, 0.5, 0.3, 0.1, 0.05])


def points(specificities):
    probabilities = np.column_stack([MELANOMA, 1 - MELANOMA])
    lesions = [f"l{number}" for number in range(len(LABELS))]
    return operating_points(LABELS, probabilities, CLASSES, lesions, specificities, resamples=50)


def test_the_sensitivity_is_the_best_that_keeps_the_specificity() -> None:
    strict, loose = (point for point in points([1.0, 0.8]) if point.target == "malignant")
    assert (strict.sensitivity.value, strict.threshold, strict.specificity) == (0.5, 0.8, 1.0)
    assert (loose.sensitivity.value, loose.threshold, loose.specificity) == (0.75, 0.6, 0.8)


def test_melanoma_and_malignancy_have_points_of_their_own() -> None:
    assert [point.target for point in points([0.9])] == ["malignant", "mel"]
    assert "malignant" in points_text(points([0.9]))


def test_one_kind_alone_has_none() -> None:
    probabilities = np.full((3, 2), 0.5)
    assert operating_points(np.ones(3, int), probabilities, CLASSES, list("abc"), resamples=5) == ()
