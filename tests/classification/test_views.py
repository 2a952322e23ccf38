"""What the classifier sees of an image: a box with margin, room to jitter it, or the whole image."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from classification.views import crop_view, locate_references
from segmentation.cropping import Box, lesion_box

LESION = {"height": 300, "width": 400, "x0": 180, "y0": 120, "x1": 220, "y1": 160}
NOTHING = {"height": 300, "width": 400, "x0": None, "y0": None, "x1": None, "y1": None}


def located(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(rows).astype("Int64")


def test_without_jitter_the_region_is_the_box_that_prediction_crops() -> None:
    view = crop_view(located(LESION), margin=0.25, jitter=0.0)
    mask = np.zeros((300, 400), bool)
    mask[120:160, 180:220] = True
    assert view.regions == [lesion_box(mask, 0.25)] == [Box(170, 110, 230, 170)]
    assert view.boxes.tolist() == [[0.5, 0.5, 1.0]]


def test_the_region_has_room_for_the_farthest_jitter() -> None:
    view = crop_view(located(LESION), margin=0.25, jitter=0.1)
    (region,) = view.regions
    assert region == Box(161, 101, 239, 179)
    x, y, side = view.boxes[0] * region.width
    assert (region.x0 + x, region.y0 + y, side) == pytest.approx((200, 140, 60))
    farthest = 60 * 1.1 / 2 + 60 * 0.1
    assert farthest <= region.width / 2


def test_at_the_edge_the_box_keeps_its_place_in_the_region() -> None:
    corner = {**LESION, "x0": 0, "y0": 260, "x1": 40, "y1": 300}
    view = crop_view(located(corner), margin=0.25, jitter=0.2)
    (region,) = view.regions
    assert region.x0 >= 0
    assert region.y1 <= 300
    x, y, side = view.boxes[0] * region.width
    assert (region.x0 + x, region.y0 + y, side) == pytest.approx((30, 270, 60))


def test_an_image_without_a_lesion_is_seen_whole() -> None:
    view = crop_view(located(NOTHING, LESION, NOTHING), margin=0.25, jitter=0.1)
    assert [region is None for region in view.regions] == [True, False, True]
    assert view.boxes[0].tolist() == [0.5, 0.5, 1.0]
    assert view.fallbacks == 2


def test_reference_masks_give_tight_bounds(tmp_path: Path) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[10:30, 20:60] = 255
    for name, pixels in (("lesion", mask), ("empty", 0 * mask)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    table = locate_references(
        ["a", "b", "c"], [str(tmp_path / "lesion.png"), str(tmp_path / "empty.png"), None]
    )
    assert table["image_id"].tolist() == ["a", "b", "c"]
    assert table.loc[0, ["height", "width", "x0", "y0", "x1", "y1"]].tolist() == [60, 80, 20, 10, 60, 30]
    assert table["x0"].isna().tolist() == [False, True, True]
    assert table.loc[1, "height"] == 60
    assert pd.isna(table.loc[2, "height"])
