"""Intervals come from drawing whole lesions, repeatably."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.intervals import Interval, lesion_weights, mean_interval


def test_images_of_one_lesion_are_drawn_together() -> None:
    weights = lesion_weights(["a", "b", "a", "c", "b"], resamples=200, seed=0)

    assert weights.shape == (200, 5)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    assert len(np.unique(weights[:, 0])) > 1


def test_each_repetition_draws_as_many_lesions_as_there_are() -> None:
    weights = lesion_weights(["a", "b", "a", "c"], resamples=50, seed=0)

    one_image_a_lesion = weights[:, [0, 1, 3]]
    assert (one_image_a_lesion.sum(axis=1) == 3).all()


def test_the_seed_decides_the_draw() -> None:
    lesions = list("abcdefgh")

    np.testing.assert_array_equal(lesion_weights(lesions, 10, seed=3), lesion_weights(lesions, 10, seed=3))
    assert (lesion_weights(lesions, 10, seed=3) != lesion_weights(lesions, 10, seed=4)).any()


def test_an_image_without_a_lesion_is_refused() -> None:
    with pytest.raises(ValueError, match="lesion id"):
        lesion_weights(np.array(["a", None], object), 10, seed=0)


def test_interval_of_a_mean_agrees_with_the_standard_error() -> None:
    values = np.random.default_rng(0).normal(10, 2, 400)

    interval = mean_interval(values, lesion_weights(np.arange(400), 2000, seed=0))

    standard_error = values.std() / np.sqrt(400)
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - 1.96 * standard_error, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + 1.96 * standard_error, abs=0.02)


def test_repeated_images_of_a_lesion_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(0).normal(10, 2, 100)
    lesions = np.arange(100)

    once = mean_interval(values, lesion_weights(lesions, 1000, seed=0))
    thrice = mean_interval(np.tile(values, 3), lesion_weights(np.tile(lesions, 3), 1000, seed=0))

    assert thrice.high - thrice.low == pytest.approx(once.high - once.low)


def test_repetitions_that_lack_the_figure_are_left_out() -> None:
    interval = Interval.from_resamples(0.5, np.array([0.4, np.nan, 0.6]))

    assert interval.low == pytest.approx(0.405)
    assert interval.high == pytest.approx(0.595)
    assert np.isnan(Interval.from_resamples(np.nan, np.array([0.4, 0.6])).low)
    assert np.isnan(Interval.from_resamples(0.5, np.array([np.nan])).low)


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.8124, 0.79, 0.833), "0.812 (0.790-0.833)"),
        (Interval(0.8124, np.nan, np.nan), "0.812"),
        (Interval(np.nan, np.nan, np.nan), "-"),
    ],
)
def test_an_interval_reads_as_its_value_and_bounds(interval: Interval, text: str) -> None:
    assert str(interval) == text


def test_what_is_not_defined_is_none_in_json() -> None:
    assert Interval(0.5, np.nan, np.nan).to_dict() == {"value": 0.5, "low": None, "high": None}


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_an_interval_is_that_of_means_over_lesions_drawn_with_replacement(
    values: list[float], lesions: int, seed: int
) -> None:
    ids = [f"lesion {number % lesions}" for number in range(len(values))]
    weights = lesion_weights(ids, 50, seed)
    for row in weights:  # all images of a lesion come equally often, and as many lesions as there are
        counts = {
            lesion: {int(w) for w, of in zip(row, ids, strict=True) if of == lesion} for lesion in set(ids)
        }
        assert all(len(times) == 1 for times in counts.values())
        assert sum(times.pop() for times in counts.values()) == len(set(ids))
    interval = mean_interval(np.array(values), weights)
    means = [np.average(values, weights=row) for row in weights]
    assert interval.value == pytest.approx(np.mean(values))
    assert interval.low == pytest.approx(np.percentile(means, 2.5))
    assert interval.high == pytest.approx(np.percentile(means, 97.5))
