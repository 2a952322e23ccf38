"""Images of one folder are drawn more or less often than others."""

import pytest

from classification.source_weights import parse_source_weights, weights_of_images
from data.datasets.errors import DatasetError

PATHS = ["/data/HAM/1.jpg", "/data/ISIC/part/2.jpg", "/data/ISIC/3.jpg"]


@pytest.mark.parametrize(
    "listed", ["ISIC", "ISIC=", "=2", "ISIC=0", "ISIC=-1", "ISIC=nan", "ISIC=101", "", "a=1,"]
)
def test_what_is_no_weight_is_told(listed: str) -> None:
    with pytest.raises(ValueError, match="write FOLDER=WEIGHT with a weight over 0"):
        parse_source_weights(listed)


def test_a_folder_may_end_in_a_slash_and_comes_once() -> None:
    assert parse_source_weights("ISIC/=2") == {"ISIC": 2}
    with pytest.raises(ValueError, match="ISIC has two weights; give one"):
        parse_source_weights("ISIC=2,ISIC/=3")


def test_a_folder_weighs_all_that_lies_below_it() -> None:
    assert weights_of_images(PATHS, {}) is None
    weights = weights_of_images(PATHS, {"ISIC": 2, "part": 0.25})
    assert weights is not None
    assert weights.tolist() == [1, 0.5, 2]


def test_a_folder_that_holds_no_image_is_told() -> None:
    with pytest.raises(
        DatasetError, match="names ISIC2019, and no training image lies in a folder of this name"
    ):
        weights_of_images(PATHS, {"ISIC2019": 2})
    with pytest.raises(DatasetError, match=r"names 1\.jpg"):
        weights_of_images(PATHS, {"1.jpg": 2})
