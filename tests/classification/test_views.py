"""What the classifier sees of an image: a box with margin, room to jitter it, or the whole image."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from classification.config import ClassificationConfig
from classification.training_images import check_boxes
from classification.views import crop_view, locate_references, viewed
from segmentation.cropping import Box, lesion_box
from segmentation.engine.run_folder import RunError

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


DOT = np.zeros((60, 80), bool)
DOT[10:20, 50:60] = True


def numbered_image() -> np.ndarray:
    """Sixty rows and eighty columns whose pixels tell their place: row, column, 0."""
    rows, columns = np.mgrid[:60, :80].astype(np.uint8)
    return np.dstack([rows, columns, np.zeros_like(rows)])


def place(view: np.ndarray) -> tuple[int, int, int, int]:
    """First row and column, and height and width, of a part of the numbered image."""
    return (*view[0, 0, :2].tolist(), *view.shape[:2])


@pytest.mark.parametrize(
    ("view", "margin", "expected"),
    [
        ("full", 0.25, (0, 0, 60, 80)),
        ("crop", 0.0, (10, 50, 10, 10)),
        ("crop", 0.5, (5, 45, 20, 20)),
        ("centre-crop", 0.0, (25, 35, 10, 10)),
        ("centre-crop", 0.5, (20, 30, 20, 20)),
    ],
)
def test_a_box_is_cut_where_the_view_says(view: str, margin: float, expected: tuple) -> None:
    assert place(viewed(numbered_image(), DOT, view, margin, "a")) == expected


def test_random_crops_lie_anywhere_and_stay_where_they_are_for_an_image() -> None:
    places = [place(viewed(numbered_image(), DOT, "random-crop", 0.5, f"image{n}")) for n in range(200)]
    assert {place[2:] for place in places} == {(20, 20)}
    rows, columns = np.array(places)[:, :2].T
    assert (rows.min(), columns.min()) < (5, 5)
    assert rows.max() > 35
    assert columns.max() > 55
    assert place(viewed(numbered_image(), DOT, "random-crop", 0.5, "image7")) == places[7]


def test_the_masked_view_keeps_the_lesion_alone() -> None:
    image = numbered_image()
    seen = viewed(image, DOT, "masked", 0.25, "a")
    assert (seen[DOT] == image[DOT]).all()
    assert (seen[~DOT] == 128).all()


def test_the_context_hides_the_lesion_and_its_outline() -> None:
    image, corner = numbered_image(), DOT.copy()
    corner[10:15, 50:55] = False  # the lesion is no square, the grey is
    seen = viewed(image, corner, "context-only", 0.1, "a")
    grey = (seen == 128).all(axis=2)
    assert grey[9:21, 49:61].all()
    assert grey.sum() == 12 * 12
    assert (seen[~grey] == image[~grey]).all()
    assert (image == numbered_image()).all()


@pytest.mark.parametrize("view", ["crop", "centre-crop", "random-crop", "masked", "context-only"])
def test_without_a_lesion_every_view_is_the_whole_image(view: str) -> None:
    image = numbered_image()
    assert viewed(image, np.zeros((60, 80), bool), view, 0.25, "a") is image


def test_the_crop_is_that_of_training() -> None:
    rows, columns = np.mgrid[:300, :400]
    mask = (rows >= 120) & (rows < 160) & (columns >= 180) & (columns < 220)
    (region,) = crop_view(located(LESION), margin=0.25, jitter=0.0).regions
    image = np.zeros((300, 400, 3), np.uint8)
    image[region.y0 : region.y1, region.x0 : region.x1] = 255
    seen = viewed(image, mask, "crop", 0.25, "a")
    assert seen.all()
    assert seen.sum() == image.sum()


def test_a_crop_without_masks_or_a_segmentation_is_refused_before_the_training() -> None:
    catalog = pd.DataFrame({"mask_path": [None, None]})
    with pytest.raises(RunError, match="the crop view needs --segmentation"):
        check_boxes(ClassificationConfig(), catalog, None)
    with pytest.raises(RunError, match="--boxes reference needs masks, and the dataset has none"):
        check_boxes(ClassificationConfig(boxes="reference"), catalog, None)
    check_boxes(ClassificationConfig(view="full"), catalog, None)
    check_boxes(ClassificationConfig(boxes="reference"), pd.DataFrame({"mask_path": ["mask.png"]}), None)
