"""Cropping: from mask to box to crop."""

from typing import NamedTuple

import cv2
import numpy as np

# Of the image's area. A smaller mask is a speck and not a lesion; a larger one has lost the border that it should find.
SMALLEST_LESION = 0.002
LARGEST_LESION = 0.98
# Of the image's edge. A lesion that touches less of it may just end there.
SHORTEST_CUT = 0.02


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
    candidates = (probability >= threshold).view(np.uint8)
    mask = np.zeros(candidates.shape, np.uint8)
    contours = _outer_contours(candidates)
    if len(contours) > 1:  # rare, and many times slower than the contours
        contours = _outer_contours(_largest_component(candidates))
    cv2.drawContours(mask, contours, -1, color=1, thickness=cv2.FILLED)
    return mask.view(bool)


def _outer_contours(candidates: np.ndarray) -> list[np.ndarray]:
    """One contour a component, without those of holes."""
    contours, hierarchy = cv2.findContours(candidates, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    parents = np.asarray(hierarchy)[0, :, 3]
    return [contour for contour, parent in zip(contours, parents, strict=True) if parent < 0]


def _largest_component(candidates: np.ndarray) -> np.ndarray:
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(candidates, connectivity=8)
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    component: np.ndarray = (labels == largest).view(np.uint8)
    return component


def lesion_bounds(mask: np.ndarray) -> Box | None:
    """Tight box around a bool mask (H, W), or None where it holds no plausible lesion.

    Not plausible are an empty mask, a speck, and one that covers nearly the whole image.
    """
    if not SMALLEST_LESION <= np.count_nonzero(mask) / mask.size <= LARGEST_LESION:
        return None
    x0, y0, width, height = cv2.boundingRect(mask.view(np.uint8))
    return Box(x0, y0, x0 + width, y0 + height)


def widen(bounds: Box, margin: float, image_size: tuple[int, int]) -> Box:
    """Square box around the bounds of a lesion, inside the image of size (height, width).

    The margin is added on every side, as a part of the bounds' longer side: 0.25 makes the box 1.5 times as long. The
    box is centred on the lesion unless the image's edge pushes it, and at most as long as the image's shorter side.
    """
    side = max(bounds.width, bounds.height) * (1 + 2 * margin)
    return square_box((bounds.x0 + bounds.x1) / 2, (bounds.y0 + bounds.y1) / 2, side, image_size)


def lesion_box(mask: np.ndarray, margin: float) -> Box | None:
    """The widened box around the lesion of a bool mask (H, W); None as for `lesion_bounds`."""
    bounds = lesion_bounds(mask)
    return None if bounds is None else widen(bounds, margin, mask.shape[:2])


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


def touches_frame(mask: np.ndarray) -> bool:
    """Whether the lesion of a bool mask (H, W) is cut off by the image's edge, along 2% of it at least."""
    border = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return bool(np.count_nonzero(border) >= SHORTEST_CUT * border.size)


def part_outside(mask: np.ndarray, box: Box) -> float:
    """Part of the lesion of a bool mask (H, W) that lies outside a box, 0..1; 0 where there is no lesion."""
    area = np.count_nonzero(mask)
    return 1 - np.count_nonzero(crop(mask, box)) / area if area else 0.0
