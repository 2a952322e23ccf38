"""Masks are scored one by one, as the ISIC challenges do."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from segmentation.metrics import SegmentationScores, dice, jaccard, threshold_jaccard

REFERENCE = np.array(
    [
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ],
    bool,
)
# Two of the reference's four pixels, and two beside it.
SHIFTED = np.roll(REFERENCE, 1, axis=1)
EMPTY = np.zeros((4, 4), bool)


def test_jaccard_is_intersection_over_union() -> None:
    assert jaccard(SHIFTED, REFERENCE) == pytest.approx(2 / 6)
    assert jaccard(REFERENCE, REFERENCE) == 1
    assert jaccard(~REFERENCE, REFERENCE) == 0


def test_dice_is_twice_the_intersection_over_both_areas() -> None:
    assert dice(SHIFTED, REFERENCE) == pytest.approx(2 * 2 / 8)
    assert dice(REFERENCE, REFERENCE) == 1
    assert dice(~REFERENCE, REFERENCE) == 0


def test_two_empty_masks_agree_fully_and_one_empty_mask_not_at_all() -> None:
    assert jaccard(EMPTY, EMPTY) == dice(EMPTY, EMPTY) == 1
    assert jaccard(EMPTY, REFERENCE) == dice(EMPTY, REFERENCE) == 0


def test_figures_agree_with_scikit_learn() -> None:
    mask, reference = np.random.default_rng(0).random((2, 30, 40)) > 0.6

    assert jaccard(mask, reference) == pytest.approx(jaccard_score(reference.ravel(), mask.ravel()))
    assert dice(mask, reference) == pytest.approx(f1_score(reference.ravel(), mask.ravel()))


def test_masks_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        jaccard(EMPTY, np.zeros((4, 5), bool))


def test_a_jaccard_under_the_threshold_counts_as_nothing() -> None:
    np.testing.assert_array_equal(threshold_jaccard(np.array([0.64, 0.65, 0.9])), [0, 0.65, 0.9])
    assert threshold_jaccard(0.5, threshold=0.5) == 0.5


def test_scores_are_means_over_images_and_not_over_pixels() -> None:
    large, small = np.ones((20, 20), bool), np.zeros((4, 4), bool)
    small[0, 0] = True

    scores = SegmentationScores.from_masks([large, ~small], [large, small], ["a", "b"])

    assert scores.jaccard.value == pytest.approx(0.5)
    assert scores.dice.value == pytest.approx(0.5)


def test_each_mask_is_thresholded_before_the_mean() -> None:
    scores = SegmentationScores.from_values([0.6, 0.8], [0.75, 0.89], ["a", "b"])

    assert scores.jaccard.value == pytest.approx(0.7)
    assert scores.threshold_jaccard.value == pytest.approx(0.4)


def test_scores_count_images_and_lesions_and_show_both() -> None:
    scores = SegmentationScores.from_values([0.6, 0.8, 0.9], [0.7, 0.8, 0.9], ["a", "a", "b"], seed=1)

    assert scores.to_dict()["images"] == 3
    assert scores.to_dict()["lesions"] == 2
    assert scores.to_dict()["jaccard"]["low"] == pytest.approx(0.7)
    assert "3 images, 2 lesions" in scores.to_text()
    assert str(scores.threshold_jaccard) in scores.to_text()
