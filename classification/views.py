"""Views: what of an image the classifier sees, all of it, a box around the lesion, or an experiment's part."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from classification.config import AnyView
from data.images import read_mask
from data.progress import tracked
from segmentation.cropping import Box, crop, lesion_bounds, square_box, widen

ERASED = 128  # mid-grey, which the classifier scales to 0


@dataclass(frozen=True)
class CropView:
    """Regions to cut out of N images, and in each the square box that the classifier sees.

    Attributes
    ----------
    regions : N boxes in pixels of the image, or None for the whole image
    boxes : float array (N, 3)
        Centre x, centre y and side of the box, as parts of the region. The region is larger than the box where the
        box shall be jittered.
    """

    regions: list[Box | None]
    boxes: np.ndarray

    @property
    def fallbacks(self) -> int:
        """Images that are seen whole because no lesion was found in them."""
        return sum(region is None for region in self.regions)


def crop_view(located: pd.DataFrame, margin: float, jitter: float) -> CropView:
    """Regions and boxes from the lesions' bounds.

    Parameters
    ----------
    located : DataFrame
        `height, width, x0, y0, x1, y1` of N images, as from `locate_lesions`.
    margin : float
        Around the lesion, see `segmentation.cropping.widen`.
    jitter : float
        The most by which the box will be moved and resized, as a part of its side.
    """
    regions: list[Box | None] = []
    boxes = np.tile([0.5, 0.5, 1.0], (len(located), 1))
    sizes = located[["height", "width"]].to_numpy(float)
    for row, bounds in enumerate(located[list(Box._fields)].to_numpy(float)):
        if np.isnan(bounds).any():
            regions.append(None)
            continue
        size = (int(sizes[row, 0]), int(sizes[row, 1]))
        box = widen(Box(*bounds.astype(int).tolist()), margin, size)
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        region = square_box(x, y, box.width * (1 + 3 * jitter), size)
        boxes[row] = np.array([x - region.x0, y - region.y0, box.width]) / region.width
        regions.append(region)
    return CropView(regions, boxes)


def locate_references(image_ids: Sequence[str], mask_paths: Sequence[str | None]) -> pd.DataFrame:
    """Bounds of the lesions as the dataset's masks (of their images' size) have them; the form of `locate_lesions`."""
    rows: list[tuple[int | None, ...]] = []
    for path in tracked(mask_paths, "reading masks"):
        mask = None if pd.isna(path) else read_mask(path)
        bounds = None if mask is None else lesion_bounds(mask)
        rows.append((*((None, None) if mask is None else mask.shape), *(bounds or (None,) * 4)))
    located = pd.DataFrame(rows, columns=["height", "width", *Box._fields]).astype("Int64")
    located.insert(0, "image_id", list(image_ids))
    return located


def viewed(image: np.ndarray, mask: np.ndarray, view: AnyView, margin: float, image_id: str) -> np.ndarray:
    """What a classifier of this view sees of one image, before it is resized to its input.

    Parameters
    ----------
    image : uint8 array (H, W, 3)
    mask : bool array (H, W)
        Where the lesion is. Without a plausible lesion in it the whole image is seen.
    view : str
        "full"; "crop", the widened box around the lesion; "centre-crop" and "random-crop", a box of the same size at
        the image's centre or anywhere; "masked", the lesion alone on grey; "context-only", the image with its widened
        box grey. A box hides the lesion's contour, which its mask would give away (Bissoto et al., arXiv 1904.08818).
    margin : float
        Of the box, see `segmentation.cropping.widen`.
    image_id : str
        Decides on the place of "random-crop".

    Returns
    -------
    uint8 array (h, w, 3), where the view is a box a part of `image` and not a copy.
    """
    bounds = None if view == "full" else lesion_bounds(mask)
    if bounds is None:
        return image
    if view == "masked":
        return np.where(mask[..., None], image, np.uint8(ERASED))
    box = widen(bounds, margin, image.shape[:2])
    if view == "context-only":
        context = image.copy()
        crop(context, box)[...] = ERASED
        return context
    return crop(image, _moved(box, view, image.shape[:2], image_id))


def _moved(box: Box, view: AnyView, image_size: tuple[int, int], image_id: str) -> Box:
    """The box of a crop where it is, at the centre of the image, or at a place that the image's id draws."""
    height, width = image_size
    if view == "centre-crop":
        return square_box(width / 2, height / 2, box.width, image_size)
    if view == "random-crop":
        rng = np.random.default_rng(zlib.crc32(image_id.encode()))
        x0 = int(rng.integers(width - box.width, endpoint=True))
        y0 = int(rng.integers(height - box.width, endpoint=True))
        return Box(x0, y0, x0 + box.width, y0 + box.width)
    return box
