"""Artefacts between the lens and the skin: hair, a ruler's marks, gel bubbles, glints."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from data.drawing.brushes import SUBPIXEL_BITS, Array, Shape, draw_disc, draw_stroke, fixed_point
from data.drawing.pigments import cover

SHEET_SIDE = 900
THICK_HAIRS = ((0.16, 0.10, 0.08), (0.28, 0.17, 0.11), (0.10, 0.08, 0.09))
FINE_HAIR = (0.97, 0.90, 0.86)


def drawn(shape: Shape, draw: Callable[[Array, float], None]) -> Array:
    """Opacity, float32 (height, width) 0..1, of what `draw(sheet, short side in pixels)` draws on a larger sheet.

    The larger sheet keeps lines thinner than a pixel thin.
    """
    enlargement = max(2, math.ceil(SHEET_SIDE / min(shape)))
    sheet = np.zeros((shape[0] * enlargement, shape[1] * enlargement), np.uint8)
    draw(sheet, float(min(sheet.shape)))
    return cv2.resize(sheet, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def hair_path(rng: np.random.Generator, shape: Shape, direction: float, length: float) -> Array:
    """A curved hair (40, 2) through a random point of the sheet."""
    middle = rng.uniform(0, 1, 2) * shape[::-1]
    ahead = np.array([math.cos(direction), math.sin(direction)]) * length
    aside = np.array([-ahead[1], ahead[0]])
    t = np.linspace(-0.5, 0.5, 40)[:, None]
    bow = rng.normal(0, 0.35) * (t**2 - 0.1) * aside
    swing = rng.normal(0, 0.4) * t**3 * aside
    return np.asarray(middle + t * ahead + bow + swing)


def hairs(rng: np.random.Generator, shape: Shape, count: int, width: float, length: float) -> Array:
    """Opacity of `count` tapering hairs that mostly lie one way; lengths are fractions of the short side."""
    lie = rng.uniform(0, math.tau)

    def draw(sheet: Array, side: float) -> None:
        for _ in range(count):
            direction, reach = lie + rng.normal(0, 0.5), rng.uniform(0.4, 1.2) * length * side
            path = hair_path(rng, sheet.shape, direction, reach)
            taper = np.linspace(1, 0.25, len(path)) * rng.uniform(0.6, 1.2) * width * side
            draw_stroke(sheet, path, np.maximum(taper, 1), rng.uniform(0.7, 1))

    return drawn(shape, draw)


def lay_hair(image: Array, rng: np.random.Generator) -> Array:
    """Dark terminal hair with a soft shadow on some images, fine light vellus hair on most."""
    shape = image.shape[:2]
    side = min(shape)
    if rng.random() < 0.75:
        fine = hairs(rng, shape, int(rng.integers(4, 30)), width=0.003, length=0.3)
        image = cover(image, 0.4 * fine, FINE_HAIR)
    if rng.random() < 0.45:
        dark = hairs(rng, shape, int(rng.geometric(0.14)), width=rng.uniform(0.004, 0.009), length=0.8)
        fallen = np.roll(dark, (max(1, side // 90), max(1, side // 120)), axis=(0, 1))
        image = image * (1 - 0.3 * cv2.GaussianBlur(fallen, (0, 0), 0.008 * side))[..., None]
        image = cover(image, 0.88 * dark, THICK_HAIRS[rng.integers(len(THICK_HAIRS))])
    return image


def lay_ruler(image: Array, rng: np.random.Generator) -> Array:
    """A millimetre ruler's black marks along one edge of the image."""
    spacing, tilt, inset = rng.uniform(0.035, 0.07), rng.normal(0, 0.05), rng.uniform(0, 0.04)
    edge = int(rng.integers(4))

    def draw(sheet: Array, side: float) -> None:
        along = np.arange(0, max(sheet.shape) / side, spacing)
        for number, start in enumerate(along):
            length = 0.06 if number % 5 == 0 else 0.03
            top = inset + tilt * start
            mark = np.array([[start, top], [start - tilt * length, top + length]])
            if edge % 2:
                mark = mark[:, ::-1]
            if edge >= 2:
                mark = np.array(sheet.shape[::-1]) / side - mark
            draw_stroke(sheet, mark * side, np.full(2, 0.006 * side), 0.9)

    return cover(image, 0.85 * drawn(image.shape[:2], draw), (0.08, 0.07, 0.09))


def lay_bubbles(image: Array, rng: np.random.Generator) -> Array:
    """Air bubbles in the gel: a dark rim, a bright ring within it, and a highlight towards the lamp."""
    shape = image.shape[:2]
    centres = rng.uniform(0, 1, 2) + rng.normal(0, 0.12, (int(rng.integers(2, 12)), 2))
    radii = 0.012 + rng.exponential(0.012, len(centres))
    lamp = rng.uniform(0, 360)

    def arcs(radius_share: float, width: float, span: float) -> Array:
        def draw(sheet: Array, side: float) -> None:
            for centre, radius in zip(centres * sheet.shape[::-1], radii * side, strict=True):
                middle = fixed_point(centre).tolist()
                axes = fixed_point(np.full(2, radius * radius_share)).tolist()
                line = max(1, round(radius * width))
                start, end = lamp - span / 2, lamp + span / 2
                cv2.ellipse(sheet, middle, axes, 0, start, end, 255, line, cv2.LINE_AA, SUBPIXEL_BITS)

        return drawn(shape, draw)

    image = cover(image, 0.45 * arcs(1.0, 0.16, 360), (0.25, 0.17, 0.18))
    image = cover(image, 0.35 * arcs(0.82, 0.2, 360), (1.0, 0.95, 0.95))
    return cover(image, 0.9 * arcs(0.66, 0.22, 80), (1.0, 1.0, 1.0))


def lay_glints(image: Array, rng: np.random.Generator) -> Array:
    """Small white reflections of the lamp on wet skin."""
    centres = rng.uniform(0, 1, 2) + rng.normal(0, 0.1, (int(rng.integers(3, 12)), 2))

    def draw(sheet: Array, side: float) -> None:
        for centre in centres * sheet.shape[::-1]:
            radius = rng.uniform(0.002, 0.006) * side
            draw_disc(sheet, centre, radius, 1.0, rng.uniform(1, 4), rng.uniform(0, 180))

    return cover(image, 0.85 * drawn(image.shape[:2], draw), (1.0, 0.98, 1.0))


def lay_artefacts(image: Array, rng: np.random.Generator) -> Array:
    """A photograph's hair, marks, bubbles and glints, each present in some photographs only.

    Parameters
    ----------
    image : float32 array (height, width, 3), 0..1
    rng : numpy.random.Generator

    Returns
    -------
    float32 array (height, width, 3), 0..1
    """
    image = lay_hair(image, rng)
    for lay, share in ((lay_bubbles, 0.2), (lay_glints, 0.2), (lay_ruler, 0.2)):
        if rng.random() < share:
            image = lay(image, rng)
    return image
