"""The flips of a view are classified, and their answers are averaged as the view itself lies."""

import numpy as np
import pytest

from classification.test_time_augmentation import (
    after_second_look,
    averaged_over_flips,
    confidence_of_part,
    flips_of,
    is_unsure,
)

CORNER = np.zeros((4, 6, 1), np.uint8)
CORNER[0, 0] = 1


def classify(view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits that depend on where the bright corner lies, and a map that is the view itself."""
    return np.array([view[0, 0, 0], view[0, -1, 0]], float), view.astype(float)


def test_the_bright_corner_is_once_in_each_corner() -> None:
    flips = flips_of(CORNER)
    assert [tuple(np.argwhere(flip[:, :, 0])[0]) for flip in flips] == [(0, 0), (0, 5), (3, 0), (3, 5)]


def test_many_views_are_flipped_as_one_is() -> None:
    for many, one in zip(flips_of(np.stack([CORNER, CORNER])), flips_of(CORNER), strict=True):
        np.testing.assert_array_equal(many[1], one)


def test_logits_are_averaged_and_maps_are_brought_back_before() -> None:
    logits, activation_map = averaged_over_flips([classify(flip) for flip in flips_of(CORNER)])
    assert logits == pytest.approx([0.25, 0.25])
    np.testing.assert_array_equal(activation_map, CORNER)


def test_a_single_answer_stays_as_it_is() -> None:
    logits, activation_map = averaged_over_flips([classify(CORNER)])
    assert logits == pytest.approx([1, 0])
    np.testing.assert_array_equal(activation_map, CORNER)


def test_a_first_look_is_unsure_by_its_calibrated_confidence() -> None:
    logits = np.log([[0.9, 0.1], [0.6, 0.4]])
    np.testing.assert_array_equal(is_unsure(logits, 1, 0.7), [False, True])
    np.testing.assert_array_equal(is_unsure(logits, 4, 0.7), [True, True])  # 0.9 becomes 0.63
    assert not is_unsure(logits[0], 1, 0.7)


def test_only_the_unsure_are_averaged() -> None:
    first, averaged = np.log([[0.9, 0.1], [0.6, 0.4]]), np.zeros((2, 2))
    np.testing.assert_array_equal(after_second_look(first, averaged, 1, 0.7), [first[0], averaged[1]])


def test_the_limit_is_that_under_which_a_part_lies() -> None:
    logits = np.random.default_rng(0).normal(size=(1000, 3))
    for part in (0.0, 0.1, 0.5):
        limit = confidence_of_part(logits, 0.7, part)
        assert is_unsure(logits, 0.7, limit).mean() == pytest.approx(part, abs=0.001)
