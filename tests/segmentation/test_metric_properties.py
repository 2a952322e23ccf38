"""Whatever the masks, the figures are those of scikit-learn over an image's pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from segmentation.metrics import SegmentationScores, dice, jaccard, threshold_jaccard

quickly = settings(max_examples=30, derandomize=True, deadline=None)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two masks of one size; either may be empty or full."""
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = draw(st.tuples(st.sampled_from((0, 0.1, 0.5, 1)), st.sampled_from((0, 0.3, 0.9, 1))))
    mask, reference = (rng.random(shape) < share for share in shares)
    return mask, reference


@quickly
@given(pairs())
def test_jaccard_and_dice_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    mask, reference = pair
    pixels = reference.ravel(), mask.ravel()
    assert jaccard(mask, reference) == pytest.approx(jaccard_score(*pixels, zero_division=1.0))
    assert dice(mask, reference) == pytest.approx(f1_score(*pixels, zero_division=1.0))


@quickly
@given(pairs())
def test_both_take_either_mask_first_and_stay_under_turns(pair: tuple[np.ndarray, np.ndarray]) -> None:
    mask, reference = pair
    for figure in (jaccard, dice):
        assert figure(mask, reference) == figure(reference, mask)
        assert figure(mask, reference) == figure(np.rot90(mask), np.rot90(reference))
        assert figure(mask, mask) == 1
    overlap = jaccard(mask, reference)
    assert dice(mask, reference) == pytest.approx(2 * overlap / (1 + overlap))


@quickly
@given(st.lists(pairs(), min_size=1, max_size=8))
def test_scores_are_means_over_images(drawn: list[tuple[np.ndarray, np.ndarray]]) -> None:
    lesions = [str(number // 2) for number in range(len(drawn))]
    scores = SegmentationScores.from_masks(*zip(*drawn, strict=True), lesions, resamples=10)
    overlaps = [jaccard(*pair) for pair in drawn]
    assert scores.jaccard.value == pytest.approx(np.mean(overlaps))
    assert scores.threshold_jaccard.value == pytest.approx(
        np.mean([overlap if overlap >= 0.65 else 0 for overlap in overlaps])
    )
    assert np.all(threshold_jaccard(np.array(overlaps)) <= overlaps)
