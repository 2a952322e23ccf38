"""Perturbations of test images, which clinics have and datasets lack: ink, ruler, hair, dark corners, framing."""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from data.drawing.artefacts import THICK_HAIRS, drawn, hairs, lay_ruler
from data.drawing.brushes import Array, draw_stroke
from data.drawing.photographs import lens_border
from data.drawing.pigments import cover

GENTIAN_VIOLET = (0.27, 0.13, 0.45)
SHIFT = 0.2  # of the shorter side
ZOOM_OUT = 0.5

Mask = np.ndarray | None


@dataclass(frozen=True)
class Perturbation:
    """A change of the test images.

    Attributes
    ----------
    lay : function (float32 image (H, W, 3) in 0..1, generator) -> image of the same form, where it covers something
    frame : function (generator) -> scale and shift (x, y) in shares of the shorter side, where it moves the camera
    """

    name: str
    shows: str
    lay: Callable[[Array, np.random.Generator], Array] | None = None
    frame: Callable[[np.random.Generator], tuple[float, Array]] | None = None

    def __call__(self, image: np.ndarray, mask: Mask, image_id: str) -> tuple[np.ndarray, Mask]:
        """Perturb an image uint8 (H, W, 3) and move its mask, bool (H, W) or None, along.

        The image's id decides on what is drawn, so that all arms and seeds see the same.
        """
        rng = np.random.default_rng(zlib.crc32(f"{self.name}/{image_id}".encode()))
        if self.lay:
            covered = self.lay(image.astype(np.float32) / 255, rng)
            return np.rint(np.clip(covered, 0, 1) * 255).astype(np.uint8), mask
        if self.frame:
            return reframed(image, mask, *self.frame(rng))
        return image, mask


def lay_ink(image: Array, rng: np.random.Generator) -> Array:
    """A surgical marker's dashes around the middle of the image, and a line that runs in from the edge."""

    def draw(sheet: Array, side: float) -> None:
        middle = np.array(sheet.shape[::-1]) / 2 + rng.normal(0, 0.03, 2) * side
        start, count = rng.uniform(0, math.tau), int(rng.integers(4, 8))
        radius = rng.uniform(0.38, 0.46) * side
        for angle in start + np.arange(count) * math.tau / count:
            turns = angle + np.linspace(0, 0.45 * math.tau / count, 12)
            draw_stroke(
                sheet, middle + radius * _directions(turns), np.full(12, rng.uniform(0.014, 0.022) * side)
            )
        away = _directions(np.array([start + rng.uniform(0.2, 0.5)]))
        line = middle + np.linspace(0.4, 0.75, 12)[:, None] * side * away
        draw_stroke(sheet, line, np.full(12, 0.02 * side))

    return cover(image, 0.8 * drawn(image.shape[:2], draw), GENTIAN_VIOLET)


def lay_dark_hair(image: Array, rng: np.random.Generator) -> Array:
    """A dozen or two of dark hairs across the image."""
    count, width = int(rng.integers(10, 25)), rng.uniform(0.005, 0.009)
    opacity = hairs(rng, image.shape[:2], count, width=width, length=0.9)
    return cover(image, 0.9 * opacity, THICK_HAIRS[rng.integers(len(THICK_HAIRS))])


def lay_dark_corners(image: Array, rng: np.random.Generator) -> Array:
    """The round field of view of a dermatoscope that is held too far away."""
    return np.asarray(image * lens_border(rng, image.shape[:2])[..., None])


def reframed(image: np.ndarray, mask: Mask, scale: float, shift: Array) -> tuple[np.ndarray, Mask]:
    """The image as a camera farther away, or one that does not point at the lesion, would have taken it.

    What the image does not show is filled smoothly from its rim, so that no border is drawn.

    Parameters
    ----------
    image : uint8 array (H, W, 3)
    mask : bool array (H, W) or None
    scale : of what is seen; 0.5 shows the image at half its size
    shift : (x, y) of the image's centre, in shares of its shorter side
    """
    size, side = image.shape[1::-1], min(image.shape[:2])
    middle = (np.array(size) - 1) / 2
    move = np.hstack([np.eye(2) * scale, (middle * (1 - scale) + np.asarray(shift) * side)[:, None]])
    if scale < 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    moved = cv2.warpAffine(image.astype(np.float32), move, size, flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(np.ones(image.shape[:2], np.float32), move, size) > 0.999
    rim = inside & ~cv2.erode(inside.astype(np.uint8), np.ones((round(0.04 * side),) * 2)).astype(bool)
    around = spread(moved * rim[..., None], rim.astype(np.float32))
    filled = np.rint(np.where(inside[..., None], moved, around)).astype(np.uint8)
    if mask is None:
        return filled, None
    return filled, cv2.warpAffine(mask.astype(np.uint8), move, size, flags=cv2.INTER_NEAREST).astype(bool)


def spread(image: Array, known: Array) -> Array:
    """Fill an image where it is not known by what is known around, the smoother the farther away (push-pull).

    Parameters
    ----------
    image : float32 array (H, W, 3), times `known`
    known : float32 array (H, W), 0..1
    """
    height, width = known.shape
    if min(height, width) < 2:
        return np.asarray(image / np.maximum(known, 1e-6)[..., None])
    half = (width + 1) // 2, (height + 1) // 2
    coarse = spread(*(cv2.resize(layer, half, interpolation=cv2.INTER_AREA) for layer in (image, known)))
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(image + smooth * (1 - known)[..., None])


def _off_centre(rng: np.random.Generator) -> tuple[float, Array]:
    return 1.0, SHIFT * _directions(rng.uniform(0, math.tau, 1))[0]


def _zoomed_out(rng: np.random.Generator) -> tuple[float, Array]:
    return ZOOM_OUT, 0.1 * _directions(rng.uniform(0, math.tau, 1))[0]


def _directions(angles: Array) -> Array:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


PERTURBATIONS = {
    perturbation.name: perturbation
    for perturbation in (
        Perturbation("ink", "dashes of a surgical marker around the lesion", lay=lay_ink),
        Perturbation("ruler", "a ruler's marks along an edge", lay=lay_ruler),
        Perturbation("hair", "10 to 24 dark hairs", lay=lay_dark_hair),
        Perturbation("vignette", "dark corners beyond a round field of view", lay=lay_dark_corners),
        Perturbation(
            "off-centre", f"the framing shifted by {SHIFT:.0%} of the shorter side", frame=_off_centre
        ),
        Perturbation(
            "zoomed-out", f"the image at {ZOOM_OUT:.0%} of its size, a little off centre", frame=_zoomed_out
        ),
    )
}
