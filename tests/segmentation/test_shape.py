import cv2
import numpy as np
import pytest

from segmentation.shape import (
    asymmetry,
    border_irregularity,
    colour_variegation,
    lesion_area,
    lesion_diameter,
    measure_lesion,
)


def disc(radius=60, centre=(200, 150), size=(300, 400)) -> np.ndarray:
    return cv2.circle(np.zeros(size, np.uint8), centre, radius, 1, cv2.FILLED).astype(bool)


def rectangle(height, width, size=(300, 400)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[40 : 40 + height, 30 : 30 + width] = True
    return mask


def turned(mask, degrees) -> np.ndarray:
    height, width = mask.shape
    rotation = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(mask.astype(np.uint8), rotation, (width, height)).astype(bool)


def half_disc() -> np.ndarray:
    mask = disc(radius=80)
    mask[:, :200] = False
    return mask


def star() -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 400)
    radius = 80 * (1 + 0.3 * np.cos(8 * angles))
    points = np.stack([200 + radius * np.cos(angles), 150 + radius * np.sin(angles)], axis=1)
    return cv2.fillPoly(np.zeros((300, 400), np.uint8), [points.round().astype(np.int32)], 1).astype(bool)


def painted(mask, *colours) -> np.ndarray:
    """White skin, and a lesion in vertical stripes of the colours."""
    image = np.full((*mask.shape, 3), 255, np.uint8)
    stripes = np.arange(mask.shape[1]) // 10 % len(colours)
    image[mask] = np.array(colours, np.uint8)[np.broadcast_to(stripes, mask.shape)[mask]]
    return image


def test_area_counts_pixels_and_diameter_is_the_longest_line():
    assert lesion_area(rectangle(30, 40)) == 1200
    assert lesion_diameter(rectangle(30, 40)) == pytest.approx(50, abs=1), "the diagonal"
    assert lesion_diameter(disc(radius=60)) == pytest.approx(121, abs=1.5)
    assert lesion_diameter(disc(radius=600, centre=(700, 700), size=(1400, 1400))) == pytest.approx(
        1201, rel=0.005
    )


@pytest.mark.parametrize("mask", [disc(), rectangle(40, 200), turned(rectangle(150, 60), 0)])
def test_what_mirrors_itself_has_no_asymmetry(mask):
    assert asymmetry(mask) < 0.02


def test_a_disc_with_a_bite_is_less_symmetric_the_larger_the_bite():
    bitten = [disc(radius=80) & ~disc(radius=radius, centre=(280, 150)) for radius in (1, 30, 60)]

    values = [asymmetry(mask) for mask in bitten]
    assert values == sorted(values) and values[2] > values[0] + 0.05


def test_asymmetry_is_what_folding_leaves_over():
    """A tall triangle mirrors itself sideways; folded across its centroid, a third finds no counterpart."""
    triangle = np.array([(200, 10), (260, 250), (140, 250)])
    mask = cv2.fillPoly(np.zeros((300, 400), np.uint8), [triangle], 1).astype(bool)

    assert asymmetry(mask) == pytest.approx((0 + 1 / 3) / 2, abs=0.005)


def test_shape_does_not_depend_on_place_turn_or_size():
    """Half a disc has the perimeter (π + 2) r and the area π r² / 2, and so the irregularity 1.339."""
    mask = half_disc()
    larger = disc(radius=320, centre=(800, 600), size=(1200, 1600))
    larger[:, :800] = False

    for other in (np.roll(mask, (30, -90), axis=(0, 1)), turned(mask, 33), larger):
        assert asymmetry(other) == pytest.approx(asymmetry(mask), abs=0.02)
        assert border_irregularity(other) == pytest.approx(1.339, rel=0.02)


def test_a_circle_has_the_smoothest_border_and_a_star_a_rough_one():
    assert border_irregularity(disc(radius=80)) == pytest.approx(1, abs=0.02)
    assert border_irregularity(rectangle(100, 100)) == pytest.approx(4 / np.pi, rel=0.02)
    assert border_irregularity(star()) > 2


def test_one_flat_colour_has_no_variegation_whatever_the_skin_is():
    assert colour_variegation(
        painted(rectangle(100, 100), (90, 60, 40)), rectangle(100, 100)
    ) == pytest.approx(0, abs=1e-4)


def test_variegation_is_half_the_difference_of_two_colours_in_equal_parts():
    """Black and white are 100 apart in CIELAB, so each lies 50 from their mean."""
    mask = rectangle(100, 100)

    assert colour_variegation(painted(mask, (0, 0, 0), (255, 255, 255)), mask) == pytest.approx(50, rel=0.01)


def test_a_scale_turns_pixels_into_millimetres_and_leaves_ratios_alone():
    image, mask = painted(disc(), (90, 60, 40), (40, 20, 10)), disc()
    pixels, millimetres = measure_lesion(image, mask), measure_lesion(image, mask, millimetres_per_pixel=0.05)

    assert [each.unit for each in pixels[:2]] == ["px²", "px"]
    assert [each.unit for each in millimetres[:2]] == ["mm²", "mm"]
    assert millimetres[0].value == pytest.approx(np.pi * 3**2, rel=0.02)
    assert millimetres[1].value == pytest.approx(6, abs=0.1)
    assert [each.value for each in millimetres[2:]] == [each.value for each in pixels[2:]]
    assert all(each.meaning and each.source for each in pixels)


def test_without_a_plausible_lesion_there_is_nothing_to_measure():
    assert measure_lesion(np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), bool)) == ()
    for measure in (lesion_diameter, asymmetry, border_irregularity):
        with pytest.raises(ValueError, match="empty"):
            measure(np.zeros((100, 100), bool))


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match="positive and finite"):
        measure_lesion(np.zeros((300, 400, 3), np.uint8), disc(), millimetres_per_pixel=scale)
