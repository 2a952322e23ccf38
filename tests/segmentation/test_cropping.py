"""From a probability to one lesion, and from a lesion to a square that lies inside the image."""

import numpy as np
import pytest

from segmentation.cropping import (
    Box,
    crop,
    lesion_bounds,
    lesion_box,
    lesion_mask,
    part_outside,
    square_box,
    touches_frame,
    widen,
)


def mask_of(x0: int, y0: int, x1: int, y1: int, size: tuple[int, int] = (100, 200)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_the_largest_component_is_kept_and_its_hole_filled() -> None:
    probability = np.array(
        [
            [0.9, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.8, 0.8, 0.8, 0.0],
            [0.0, 0.0, 0.8, 0.1, 0.8, 0.0],
            [0.0, 0.0, 0.8, 0.8, 0.8, 0.0],
            [0.9, 0.0, 0.0, 0.0, 0.0, 0.0],
        ]
    )
    assert np.array_equal(lesion_mask(probability, 0.5), mask_of(2, 1, 5, 4, (5, 6)))


def test_of_two_components_the_smaller_is_no_lesion() -> None:
    mask = lesion_mask(np.array([[0.9, 0.0, 0.9, 0.9]]), 0.5)
    assert mask.view(np.uint8).tolist() == [[0, 0, 1, 1]]


def test_pixels_that_touch_at_a_corner_are_one_lesion() -> None:
    probability = np.array([[0.9, 0.0, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 0.0]])
    assert lesion_mask(probability, 0.5).sum() == 2


def test_a_pixel_at_the_threshold_belongs_to_the_lesion() -> None:
    assert lesion_mask(np.array([[0.5, 0.49]]), 0.5).tolist() == [[True, False]]


def test_no_pixel_above_the_threshold_is_no_lesion() -> None:
    mask = lesion_mask(np.full((4, 5), 0.2), 0.5)
    assert mask.shape == (4, 5)
    assert not mask.any()


def test_bounds_are_tight() -> None:
    assert lesion_bounds(mask_of(60, 30, 100, 50)) == Box(60, 30, 100, 50)


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(np.zeros((100, 200), bool), id="empty"),
        pytest.param(mask_of(60, 30, 65, 36), id="speck"),
        pytest.param(np.ones((100, 200), bool), id="whole image"),
    ],
)
def test_an_implausible_mask_has_no_box(mask: np.ndarray) -> None:
    assert lesion_bounds(mask) is None
    assert lesion_box(mask, 0.25) is None


def test_the_margin_is_a_part_of_the_longer_side_on_every_side() -> None:
    box = lesion_box(mask_of(80, 40, 120, 60), margin=0.25)
    assert box == Box(70, 20, 130, 80)


def test_the_edge_pushes_the_box_back_into_the_image() -> None:
    assert lesion_box(mask_of(0, 80, 40, 100), margin=0.25) == Box(0, 40, 60, 100)


def test_the_box_is_no_longer_than_the_shorter_side() -> None:
    assert lesion_box(mask_of(10, 10, 190, 90), margin=0.5) == Box(50, 0, 150, 100)


def test_every_box_is_a_square_inside_the_image() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        height, width = rng.integers(20, 200, 2)
        x0, x1 = np.sort(rng.choice(width + 1, 2, replace=False))
        y0, y1 = np.sort(rng.choice(height + 1, 2, replace=False))
        box = widen(Box(x0, y0, x1, y1), float(rng.uniform(0, 1)), (height, width))
        assert box.width == box.height >= 1
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height


def test_a_square_has_at_least_one_pixel() -> None:
    assert square_box(5.5, 5.5, 0.1, (10, 10)) == Box(5, 5, 6, 6)


def test_a_crop_is_the_content_of_the_box() -> None:
    image = np.arange(24).reshape(4, 6)
    assert crop(image, Box(1, 2, 3, 4)).tolist() == [[13, 14], [19, 20]]
    assert crop(np.zeros((4, 6, 3)), Box(1, 2, 3, 4)).shape == (2, 2, 3)


def test_a_lesion_that_runs_along_the_edge_is_cut_off() -> None:
    assert touches_frame(mask_of(0, 40, 60, 80))
    assert not touches_frame(mask_of(1, 40, 60, 80))


@pytest.mark.parametrize("edge", [np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]])
def test_each_edge_of_the_image_counts_with_its_whole_length(edge: tuple) -> None:
    mask = np.zeros((51, 51), bool)  # whose frame is 200 pixels long: four of them are 2%
    mask[edge][[0, 1, -2, -1]] = True
    assert touches_frame(mask)
    for pixel in (0, 1, -2, -1):
        without = mask.copy()
        without[edge][pixel] = False
        assert not touches_frame(without)


@pytest.mark.parametrize("inside", [np.s_[1, 1:-1], np.s_[-2, 1:-1], np.s_[1:-1, 1], np.s_[1:-1, -2]])
def test_a_line_of_pixels_beside_the_edge_is_not_cut_off(inside: tuple) -> None:
    mask = np.zeros((51, 51), bool)
    mask[inside] = True
    assert not touches_frame(mask)


def test_a_lesion_that_meets_the_edge_in_a_point_is_not_cut_off() -> None:
    assert not touches_frame(mask_of(0, 50, 60, 53))


def test_a_cut_edge_counts_from_2_percent_of_the_frame_on() -> None:
    mask = np.zeros((51, 51), bool)  # whose frame is 200 pixels long
    mask[0:20, 10:13] = True
    assert not touches_frame(mask)
    mask[0:20, 13] = True
    assert touches_frame(mask)


def test_the_part_outside_a_box_counts_by_area() -> None:
    mask = mask_of(10, 10, 30, 20)
    assert part_outside(mask, Box(0, 0, 20, 40)) == 0.5
    assert part_outside(mask, Box(10, 10, 30, 20)) == 0
    assert part_outside(np.zeros((10, 10), bool), Box(0, 0, 5, 5)) == 0


def test_a_lesion_of_exactly_the_least_or_the_most_area_has_a_box() -> None:
    assert lesion_bounds(mask_of(0, 0, 8, 5)) == Box(0, 0, 8, 5)  # 40 of 20,000 pixels
    assert lesion_bounds(mask_of(0, 0, 196, 100)) == Box(0, 0, 196, 100)  # 19,600
    assert lesion_bounds(mask_of(0, 0, 13, 3)) is None
    assert lesion_bounds(mask_of(0, 0, 197, 100)) is None
