"""How large a pixel is on the skin."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from pydicom import Dataset

from data.resizing import resize, resize_mask

# A pixel of a dermoscopic image is some hundredths of a millimetre; more than this is no photograph of a lesion.
LARGEST = 10.0
# Sides that differ by less are taken as equal.
SQUARE = 0.01


class Spacing(NamedTuple):
    """Distance in millimetres between the centres of neighbouring rows, and of neighbouring columns."""

    rows: float
    columns: float


def spacing_of(header: Dataset, frame: int = 1) -> Spacing | None:
    """The Pixel Spacing (0028,0030) of a frame (from 1), or None where the file gives none that makes sense.

    Looked for in the frame's functional groups, in the shared ones, and in the file itself. Imager Pixel Spacing is not
    taken: it is the distance on the sensor and not on the skin.
    """
    for place in _places(header, frame):
        if spacing := _read(place):
            return spacing
    return None


def squared(image: np.ndarray, mask: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray, float]:
    """Image and mask with square pixels, and the pixel's side in millimetres.

    Parameters
    ----------
    image : uint8 RGB array (H, W, 3)
    mask : bool array (H, W)
    spacing : Spacing

    Returns
    -------
    image, mask, millimetres : the same arrays where the pixels are square already; else the longer spacing is divided
    up until it equals the shorter
    """
    side = min(spacing)
    if max(spacing) / side - 1 < SQUARE:
        return image, mask, side
    height, width = mask.shape
    size = round(height * spacing.rows / side), round(width * spacing.columns / side)
    return resize(image, size), resize_mask(mask, size), side


def _places(header: Dataset, frame: int) -> Iterator[Dataset]:
    own = header.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (own[frame - 1 : frame], header.get("SharedFunctionalGroupsSequence") or []):
        for group in groups:
            yield from group.get("PixelMeasuresSequence") or []
    yield header


def _read(place: Dataset) -> Spacing | None:
    try:
        rows, columns = (float(value) for value in place.PixelSpacing)
    except (AttributeError, TypeError, ValueError):
        return None
    return Spacing(rows, columns) if min(rows, columns) > 0 and max(rows, columns) <= LARGEST else None
