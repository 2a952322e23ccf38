import cv2
import numpy as np
import pytest

from data.drawing.dataset import draw_lesion
from segmentation.metrics import jaccard
from segmentation.registration import align


@pytest.fixture(scope="module")
def lesion():
    return draw_lesion(3, "nv")


def moved(array, turn, scale, shift=(0, 0)):
    height, width = array.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[:, 2] += shift
    source = array.view(np.uint8) if array.dtype == bool else array
    out = cv2.warpAffine(source, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return (out.view(bool) if array.dtype == bool else out), matrix


@pytest.mark.parametrize(
    ("turn", "scale", "shift"), [(0, 1, (15, -10)), (25, 0.85, (0, 0)), (-170, 1.1, (5, 5))]
)
def test_a_photograph_that_was_turned_and_moved_lies_where_it_was(lesion, turn, scale, shift):
    later, matrix = moved(lesion.image, turn, scale, shift)
    mask, _ = moved(lesion.mask, turn, scale, shift)
    alignment = align(lesion.image, later, lesion.mask, mask)

    assert alignment.by == "skin"
    back = np.vstack([alignment.matrix, [0, 0, 1]]) @ np.vstack([matrix, [0, 0, 1]])
    corners = np.array([[100, 100, 1], [500, 100, 1], [300, 350, 1]]).T
    assert np.abs((back @ corners)[:2] - corners[:2]).max() < 3
    assert alignment.scale == pytest.approx(1 / scale, rel=0.02)


def test_an_image_of_half_the_size_lies_on_the_whole(lesion):
    half = cv2.resize(lesion.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(lesion.mask.view(np.uint8), half.shape[1::-1], interpolation=cv2.INTER_NEAREST).view(
        bool
    )
    alignment = align(lesion.image, half, lesion.mask, mask)

    assert alignment.scale == pytest.approx(2, rel=0.02)
    assert jaccard(alignment.laid(mask, lesion.mask.shape), lesion.mask) > 0.95


def test_without_common_details_the_contours_decide_and_say_so():
    flat = np.full((300, 400, 3), 200, np.uint8)
    earlier, later = np.zeros((300, 400), np.uint8), np.zeros((300, 400), np.uint8)
    cv2.ellipse(earlier, (200, 150), (90, 40), 0, 0, 360, 1, cv2.FILLED)
    cv2.ellipse(later, (150, 180), (90, 40), 60, 0, 360, 1, cv2.FILLED)
    alignment = align(flat, flat, earlier.view(bool), later.view(bool))

    assert (alignment.by, alignment.matches) == ("contour", 0)
    assert alignment.scale == pytest.approx(1)
    assert jaccard(alignment.laid(later.view(bool), (300, 400)), earlier.view(bool)) > 0.93


def test_an_image_without_a_lesion_is_refused(lesion):
    with pytest.raises(ValueError, match="without a lesion"):
        align(lesion.image, lesion.image, lesion.mask, np.zeros_like(lesion.mask))
