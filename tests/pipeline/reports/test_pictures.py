"""Pictures keep their colours and proportions, and contours lie on the border of the mask."""

import base64

import cv2
import numpy as np
import pytest

from pipeline.reports.pictures import compared_masks, encoded, jpeg_uri, paint_mask, reduced


def test_a_jpeg_keeps_its_colours() -> None:
    uri = jpeg_uri(np.full((30, 40, 3), (200, 100, 50), np.uint8))
    assert uri.startswith("data:image/jpeg;base64,")
    content = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    decoded = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    assert decoded.shape == (30, 40, 3)
    assert decoded[15, 20] == pytest.approx([50, 100, 200], abs=4), "OpenCV decodes to BGR"


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_a_png_loses_nothing_whatever_its_channels(channels: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, *channels), np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encoded(picture, ".png"), np.uint8), cv2.IMREAD_UNCHANGED)
    if channels:
        decoded = decoded[..., [2, 1, 0, 3][: channels[0]]]
    np.testing.assert_array_equal(decoded, picture)


def test_a_picture_shrinks_in_its_proportions_and_never_grows() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    assert reduced(image, 200).shape == (150, 200, 3)
    assert reduced(image, 1000) is image
    assert reduced(np.zeros((1, 4000), np.uint8), 100).shape == (1, 100)


def test_contours_are_drawn_where_the_masks_end_and_the_input_stays_as_it_was() -> None:
    image = np.full((60, 90, 3), 128, np.uint8)
    mask = np.zeros((60, 90), bool)
    mask[20:40, 30:60] = True

    picture = compared_masks(image, mask, np.zeros_like(mask), longest_side=180)

    assert picture.shape == (120, 180, 3)
    assert (image == 128).all()
    assert (picture[80 - 1, 90] != 128).any()
    assert (picture[60, 90] == 128).all()
    assert (picture[10, 10] == 128).all()


def test_a_contour_has_a_halo_darker_than_itself() -> None:
    picture = np.full((60, 60, 3), 128, np.uint8)
    mask = np.zeros((120, 120), bool)
    mask[40:80, 40:80] = True
    paint_mask(picture, mask, width=1, colour=(255, 255, 255))
    across = picture[20:40, 30].mean(axis=1)
    assert across[:5].max() > 200 and across[:5].min() < 60
    assert (across[5:15] == 128).all()
