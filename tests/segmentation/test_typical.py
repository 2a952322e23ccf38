import pytest

from segmentation.shape import Measurement
from segmentation.typical import FEWEST, WITHOUT_SCALE, range_of, typical_ranges


def measured(value):
    return tuple(Measurement(name, value, "", "", "") for name in ("Area", *WITHOUT_SCALE))


def test_the_middle_nine_tenths_of_each_diagnosis_are_typical():
    lesions = [("nv", measured(number / 100)) for number in range(101)]
    lesions += [("mel", measured(5.0)) for _ in range(FEWEST)] + [("df", measured(1.0))]
    ranges = typical_ranges(lesions)

    assert list(ranges) == ["mel", "nv"], "a few lesions say little of what is typical"
    assert ranges["nv"]["lesions"] == 101
    assert range_of(ranges, "nv", "Asymmetry") == pytest.approx((0.05, 0.5, 0.95))
    assert range_of(ranges, "mel", "Colour variegation") == (5, 5, 5)
    assert range_of(ranges, "nv", "Area") is None and range_of(ranges, "df", "Asymmetry") is None


def test_an_image_without_a_lesion_counts_for_nothing():
    assert typical_ranges([("nv", ())] * 100) == {}
