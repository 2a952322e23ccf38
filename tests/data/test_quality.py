import cv2
import numpy as np
import pytest

pytest.importorskip("skimage")

from data.drawing.dataset import draw_lesion
from data.quality import image_quality


@pytest.fixture(scope="module")
def lesion():
    return draw_lesion(5, "nv", artefacts=False)


def notes(image, lesion):
    return image_quality(image, lesion.mask).notes()


def test_a_clean_photograph_has_no_note(lesion):
    assert notes(lesion.image, lesion) == ()


def test_each_flaw_has_its_own_note(lesion):
    blurred = cv2.GaussianBlur(lesion.image, (0, 0), 5)
    hairy, inked, glaring = (lesion.image.copy() for _ in range(3))
    for start in range(20, 600, 60):
        cv2.line(hairy, (start, 10), (start + 90, 440), (40, 25, 20), 2, cv2.LINE_AA)
    cv2.line(inked, (20, 20), (120, 30), (60, 40, 150), 10)
    for middle in ((200, 150), (230, 180), (330, 260)):
        cv2.circle(glaring, middle, 8, (255, 255, 255), cv2.FILLED)

    assert notes(blurred, lesion) == ("the image is blurred",)
    assert notes(hairy, lesion) == ("hair lies over the skin",)
    assert notes(inked, lesion) == ("there is ink on the skin",)
    assert notes(glaring, lesion) == ("the light is reflected",)


def test_a_blue_lesion_is_no_ink(lesion):
    blue = lesion.image.copy()
    blue[lesion.mask] = (70, 60, 150)

    assert "there is ink on the skin" not in notes(blue, lesion)
    assert "there is ink on the skin" in image_quality(blue).notes()


def test_the_notes_hold_for_larger_images(lesion):
    blurred = cv2.GaussianBlur(lesion.image, (0, 0), 5)
    large = cv2.resize(blurred, None, fx=3, fy=3)

    assert image_quality(large).notes() == ("the image is blurred",)
    assert np.isclose(image_quality(large).blur, image_quality(blurred).blur, atol=0.08)
