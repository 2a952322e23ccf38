"""A comparison of crops that are no crops answers nothing, and says so."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pipeline.comparison.arms import ARMS
from pipeline.comparison.crops import differing_crops, poor_masks
from pipeline.comparison.verdict import void


@pytest.fixture
def images(tmp_path: Path) -> pd.DataFrame:
    """A small lesion, one that fills the image, and none at all."""
    paths = []
    for radius in (15, 70, 0):
        mask = np.zeros((100, 100), np.uint8)
        cv2.circle(mask, (50, 50), radius, 255, cv2.FILLED) if radius else None
        paths.append(str(tmp_path / f"{radius}.png"))
        cv2.imwrite(paths[-1], mask)
    return pd.DataFrame({"found_path": paths, "mask_path": [paths[0]] * 3})


def test_the_share_of_crops_that_differ_is_counted(images: pd.DataFrame) -> None:
    assert differing_crops(images, ARMS["crop"]) == pytest.approx(1 / 3)
    assert differing_crops(images, ARMS["reference-crop"]) == 1
    assert differing_crops(images, ARMS["masked"]) is None


def test_poor_masks_give_no_verdict() -> None:
    why = poor_masks(0.415, 0.9)
    assert why is not None
    assert "0.415" in void("crop", "full", why).sentence
    assert void("crop", "full", why).kind == "void"
    assert "only 2% of the crops" in (poor_masks(None, 0.02) or "")
    assert poor_masks(0.8, 0.9) is None
