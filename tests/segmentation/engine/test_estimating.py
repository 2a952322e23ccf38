"""A training's time is told from its pixels, its memory from its largest batch."""

import joblib
import pytest

from segmentation.engine.estimating import (
    HEAD_ALONE,
    PIXELS_A_SECOND,
    SECONDS_A_GRAPH,
    SECONDS_AN_IMAGE,
    SECONDS_AROUND,
    duration,
    estimate_training,
    size,
)
from segmentation.engine.phases import Phase

SMALL, FULL = Phase("small", (64, 64), 2, 1e-3), Phase("full", (128, 128), 1, 1e-3)


def test_time_grows_with_pixels_and_epochs() -> None:
    some, more = (
        estimate_training("classification", [SMALL, FULL], images, 0, 32) for images in (1000, 2000)
    )
    pixels = 1000 * (2 * 64**2 + 128**2)
    training = pixels / PIXELS_A_SECOND["classification"] / joblib.cpu_count()
    assert more.seconds - some.seconds == pytest.approx(training + 1000 * SECONDS_AN_IMAGE)
    assert some.disk == 1000 * 128**2 * 3


def test_a_small_training_takes_what_it_takes_to_make_its_graphs() -> None:
    nothing = estimate_training("classification", [SMALL, FULL], 0, 0, 32)
    assert nothing.seconds == SECONDS_AROUND + 2 * SECONDS_A_GRAPH[False]


def test_a_frozen_encoder_costs_less() -> None:
    frozen = Phase("head", (64, 64), 2, 1e-3, frozen_encoder=True)
    slow, fast = (estimate_training("classification", [phase], 5000, 0, 32) for phase in (SMALL, frozen))
    unchanged = SECONDS_AROUND + 5000 * SECONDS_AN_IMAGE
    assert fast.seconds - unchanged < (slow.seconds - unchanged) / 2


def test_frozen_large_maps_cost_less_the_more_of_them_there_are() -> None:
    phases = [Phase("full", (64, 64), 2, 1e-3, frozen_stride=stride) for stride in (0, 2, 4, 8, 16)]
    seconds = [estimate_training("classification", [phase], 5000, 0, 32).seconds for phase in phases]
    assert seconds[0] == seconds[1] > seconds[2] > seconds[3] == seconds[4]


@pytest.mark.parametrize(("seconds", "text"), [(20, "a minute"), (600, "10 min"), (9000, "2.5 h")])
def test_durations_read_as_a_person_would_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(3.2e6, "3 MB"), (2.34e9, "2.3 GB")])
def test_sizes_have_a_unit_that_fits(count: float, text: str) -> None:
    assert size(count) == text


def test_folds_and_teachers_take_their_time_too() -> None:
    alone, five, taught = (
        estimate_training("classification", [SMALL], 1000, 0, 32, **more)
        for more in ({}, {"times": 5}, {"teachers_sides": [64]})
    )
    assert five.seconds == pytest.approx(5 * alone.seconds)
    assert five.disk == alone.disk
    four_flips_forwards = (
        4 * 1000 * 64**2 / HEAD_ALONE / PIXELS_A_SECOND["classification"] / joblib.cpu_count()
    )
    assert taught.seconds - alone.seconds == pytest.approx(four_flips_forwards)
