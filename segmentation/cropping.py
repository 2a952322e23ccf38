"""From mask to box to crop."""

from typing import NamedTuple

import cv2
import numpy as np

# Of the image's area. A smaller mask is a speck and not a lesion; a larger one has lost the border that it should find.
SMALLEST_LESION = 0.002
LARGEST_LESION = 0.98


class Box(NamedTuple):
    """A rectangle in pixels; `x1` and `y1` lie just outside."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0


def lesion_mask(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Largest connected component of the pixels at or above `threshold`, its holes filled.

    Parameters
    ----------
    probability : float array (H, W) in 0..1
    threshold : float in 0..1

    Returns
    -------
    bool array (H, W); all False where no pixel reaches the threshold.
    """
    candidates = (probability >= threshold).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(candidates, connectivity=8)
    mask = np.zeros(candidates.shape, np.uint8)
    if count > 1:
        largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
        component = (labels == largest).astype(np.uint8)
        outline, _ = cv2.findContours(component, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(mask, outline, -1, color=1, thickness=cv2.FILLED)
    return mask.astype(bool)


def lesion_box(mask: np.ndarray, margin: float) -> Box | None:
    """Square box around the lesion, widened by a margin and kept inside the image.

    Parameters
    ----------
    mask : bool array (H, W)
    margin : float >= 0
        Added on every side, as a part of the lesion's longer side: 0.25 makes the box 1.5 times as long.

    Returns
    -------
    Box, centred on the lesion unless the image's edge pushes it, at most as long as the image's shorter side;
    or None where the mask holds no plausible lesion (empty, a speck, or nearly the whole image).
    """
    height, width = mask.shape
    if not SMALLEST_LESION <= mask.mean() <= LARGEST_LESION:
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    return square_box((left + right) / 2, (top + bottom) / 2, side, (height, width))


def square_box(centre_x: float, centre_y: float, side: float, image_size: tuple[int, int]) -> Box:
    """Square of about `side` pixels around a point, shrunk and shifted as far as needed to lie inside the image.

    `image_size` is (height, width); the side is at least one pixel.
    """
    height, width = image_size
    length = int(np.clip(round(side), 1, min(height, width)))
    x0 = int(np.clip(round(centre_x - length / 2), 0, width - length))
    y0 = int(np.clip(round(centre_y - length / 2), 0, height - length))
    return Box(x0, y0, x0 + length, y0 + length)


def crop(image: np.ndarray, box: Box) -> np.ndarray:
    """The part of an image (H, W) or (H, W, C) inside the box: a view, not a copy."""
    return image[box.y0 : box.y1, box.x0 : box.x1]
