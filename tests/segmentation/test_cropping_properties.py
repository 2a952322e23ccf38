"""What holds of every box, whatever the mask, the margin and the image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.cropping import Box, lesion_bounds, lesion_box, lesion_mask, square_box, widen

quickly = settings(max_examples=60, derandomize=True, deadline=None)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Box, tuple[int, int]]:
    """The bounds of a lesion in an image of (height, width)."""
    height, width = draw(st.integers(2, 300)), draw(st.integers(2, 300))
    x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return Box(x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))), (height, width)


@quickly
@given(scenes(), st.floats(0, 3))
def test_a_widened_box_is_a_square_inside_the_image(
    scene: tuple[Box, tuple[int, int]], margin: float
) -> None:
    bounds, (height, width) = scene
    box = widen(bounds, margin, (height, width))
    assert box.width == box.height >= 1
    assert 0 <= box.x0 < box.x1 <= width
    assert 0 <= box.y0 < box.y1 <= height


@quickly
@given(scenes(), st.floats(0, 3))
def test_it_holds_the_lesion_wherever_a_square_can(scene: tuple[Box, tuple[int, int]], margin: float) -> None:
    bounds, size = scene
    box = widen(bounds, margin, size)
    if max(bounds.width, bounds.height) <= min(size):
        assert box.x0 <= bounds.x0
        assert box.y0 <= bounds.y0
        assert box.x1 >= bounds.x1
        assert box.y1 >= bounds.y1
    else:
        assert box.width == min(size)


@quickly
@given(scenes(), st.floats(0, 3))
def test_it_turns_and_flips_with_the_image(scene: tuple[Box, tuple[int, int]], margin: float) -> None:
    bounds, (height, width) = scene
    box = widen(bounds, margin, (height, width))
    turned = widen(Box(bounds.y0, bounds.x0, bounds.y1, bounds.x1), margin, (width, height))
    assert turned == Box(box.y0, box.x0, box.y1, box.x1)
    mirrored = widen(Box(width - bounds.x1, bounds.y0, width - bounds.x0, bounds.y1), margin, (height, width))
    assert mirrored.x0 == pytest.approx(width - box.x1, abs=1)  # a half pixel is rounded one way only
    assert mirrored[1::2] == box[1::2]


@quickly
@given(scenes(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_margin_gives_no_smaller_box(
    scene: tuple[Box, tuple[int, int]], margin: float, more: float
) -> None:
    bounds, size = scene
    assert widen(bounds, margin + more, size).width >= widen(bounds, margin, size).width


@quickly
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(1, 99), st.integers(1, 99))
def test_a_square_around_any_point_lies_inside(
    x: float, y: float, side: float, height: int, width: int
) -> None:
    box = square_box(x, y, side, (height, width))
    assert 0 <= box.x0 < box.x1 <= width
    assert 0 <= box.y0 < box.y1 <= height


@quickly
@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_a_lesions_mask_is_one_filled_part_of_what_reaches_the_threshold(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.random((12, 15)).astype(np.float32)
    mask = lesion_mask(probability, threshold)
    assert mask.any() == (probability >= threshold).any()
    assert np.array_equal(lesion_mask(mask.astype(np.float32), 0.5), mask)
    assert np.array_equal(
        lesion_mask(probability[::-1], threshold).sum(), lesion_mask(probability, threshold).sum()
    )


@quickly
@given(scenes())
def test_the_bounds_of_a_mask_are_tight_and_its_box_holds_them(scene: tuple[Box, tuple[int, int]]) -> None:
    bounds, size = scene
    mask = np.zeros(size, bool)
    mask[bounds.y0 : bounds.y1, bounds.x0 : bounds.x1] = True
    found = lesion_bounds(mask)
    part = mask.mean()
    assert found == (bounds if 0.002 <= part <= 0.98 else None)
    assert (lesion_box(mask, 0.2) is None) == (found is None)
