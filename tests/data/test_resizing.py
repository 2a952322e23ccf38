"""Images shrink by the mean of their pixels' area and grow by interpolation."""

import numpy as np

from data.resizing import resize, resize_mask

CHECKS = np.uint8([[0, 100, 200, 200], [100, 200, 200, 200]])


def test_shrinking_takes_the_mean_over_the_area() -> None:
    assert resize(CHECKS, (1, 2)).tolist() == [[100, 200]]


def test_growing_interpolates_between_pixels() -> None:
    grown = resize(np.float32([[0, 1]]), (1, 4))
    assert grown.tolist() == [[0, 0.25, 0.75, 1]]


def test_the_aspect_ratio_gives_way_to_the_size() -> None:
    assert resize(np.zeros((30, 40, 3), np.uint8), (64, 32)).shape == (64, 32, 3)


def test_an_image_of_the_right_size_is_left_alone() -> None:
    assert resize(CHECKS, (2, 4)) is CHECKS


def test_a_pixel_is_lesion_where_half_of_its_area_is() -> None:
    mask = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], bool)
    assert resize_mask(mask, (1, 2)).tolist() == [[True, False]]
    assert resize_mask(mask, (1, 2)).dtype == bool
