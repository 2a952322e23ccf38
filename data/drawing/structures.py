"""The structures that dermoscopy names, each painted as a density 0..1 on the canvas of one lesion.

The terms are those of Kittler et al., "Standardization of terminology in dermoscopy/dermatoscopy", Journal of the
American Academy of Dermatology 74(6), 2016. Lengths are in lesion radii.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from data.drawing.brushes import (
    SUBPIXEL_BITS,
    Array,
    draw_disc,
    draw_stroke,
    fibres,
    honeycomb,
    patches,
    smooth_noise,
    smoothstep,
    soften,
)


@dataclass(frozen=True)
class Canvas:
    """A square sheet around one lesion; its centre is the lesion's, and its unit the lesion's mean radius."""

    side: int
    reach: float = 1.65

    @classmethod
    def for_radius(cls, pixels: float) -> "Canvas":
        """A canvas for a lesion that will be about `pixels` in radius, with some detail to spare."""
        return cls(max(256, math.ceil(2 * cls.reach * 1.1 * pixels)))

    @property
    def shape(self) -> tuple[int, int]:
        return self.side, self.side

    @property
    def radius(self) -> float:
        """Pixels in a lesion radius."""
        return self.side / (2 * self.reach)

    @cached_property
    def x(self) -> Array:
        steps = np.linspace(-self.reach, self.reach, self.side, dtype=np.float32)
        return np.broadcast_to(steps, self.shape)

    @property
    def y(self) -> Array:
        return self.x.T

    @cached_property
    def angle(self) -> Array:
        return np.asarray(np.arctan2(self.y, self.x))

    def fraction(self, length: float) -> float:
        """A length in radii as a fraction of the canvas's side."""
        return length / (2 * self.reach)

    def blank(self) -> Array:
        return np.zeros(self.shape, np.uint8)

    def scatter(self, rng: np.random.Generator, count: int, region: Array) -> Array:
        """`count` random points (count, 2), x and y in pixels, where `region` is true; none where it is empty."""
        candidates = np.flatnonzero(region)
        if candidates.size == 0:
            return np.empty((0, 2))
        chosen = candidates[rng.integers(candidates.size, size=count)]
        return np.stack([chosen % self.side, chosen // self.side], axis=1).astype(float)


def contour(
    canvas: Canvas, rng: np.random.Generator, elongation: float, lobes: float, roughness: float
) -> Array:
    """How deep inside the lesion each point lies: its distance from the contour in radii, negative outside.

    Parameters
    ----------
    elongation : ratio of the long to the short axis
    lobes : depth of the bays and bulges
    roughness : depth of the fine unevenness of the border

    Returns
    -------
    float32 array (side, side), above 0 on one connected region without holes
    """
    stretch = math.sqrt(elongation)
    x, y = canvas.x / stretch, canvas.y * stretch
    angle = np.arctan2(y, x)
    border = np.ones(canvas.shape, np.float32)
    for harmonic in range(2, 7):
        border += lobes * rng.normal(0, 1.2 / harmonic) * np.cos(harmonic * angle + rng.uniform(0, math.tau))
    border += roughness * smooth_noise(rng, canvas.shape, canvas.fraction(0.35))
    on_canvas = np.maximum(np.abs(canvas.x), np.abs(canvas.y)) < canvas.reach - 0.1
    inside = largest_region((np.hypot(x, y) < np.minimum(border, 1.3)) & on_canvas)
    within, beyond = (cv2.distanceTransform(region, cv2.DIST_L2, 5) for region in (inside, 1 - inside))
    return (within - beyond) / canvas.radius


def largest_region(inside: Array) -> Array:
    """The largest connected region of a bool array as uint8 0 and 1, its holes filled."""
    _, regions, statistics, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    largest: Array = (regions == 1 + np.argmax(statistics[1:, cv2.CC_STAT_AREA])).astype(np.uint8)
    contours, _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(largest, contours, -1, 1, cv2.FILLED)
    return largest


def streaks(canvas: Canvas, rng: np.random.Generator, depth: Array, sector: float, count: int) -> Array:
    """Finger-like lines that radiate over the border, all within `sector` radians of one side."""
    sheet = canvas.blank()
    turned = np.mod(canvas.angle - rng.uniform(0, math.tau), math.tau)
    for root in canvas.scatter(rng, count, (np.abs(depth) < 0.04) & (turned < sector)):
        outwards = root - canvas.side / 2
        outwards /= np.linalg.norm(outwards)
        length = np.linspace(-0.22, rng.uniform(0.04, 0.16), 12) * canvas.radius
        bend = rng.normal(0, 0.05) * np.linspace(0, 1, 12) ** 2 * canvas.radius
        path = root + np.outer(length, outwards) + np.outer(bend, outwards[::-1] * (-1, 1))
        draw_stroke(sheet, path, np.linspace(0.07, rng.uniform(0.02, 0.05), 12) * canvas.radius)
    return soften(sheet, 0.015 * canvas.radius)


def pigment_network(
    canvas: Canvas, rng: np.random.Generator, cell: float, thickness: float, jitter: float
) -> Array:
    """A grid of brown lines around paler holes: the honeycomb of the rete ridges."""
    sheet = canvas.blank()
    holes = honeycomb(rng, canvas.side, canvas.fraction(cell), jitter)
    line = max(1, round(thickness * canvas.radius))
    cv2.polylines(sheet, holes, True, 255, line, cv2.LINE_AA, SUBPIXEL_BITS)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.4), octaves=4)
    return soften(sheet, 0.4 * thickness * canvas.radius) * np.clip(0.6 + 0.35 * cloud, 0.05, 1.3)


def spots(
    canvas: Canvas,
    rng: np.random.Generator,
    count: int,
    region: Array,
    radius: tuple[float, float],
    elongation: float = 1.3,
    blur: float = 0.3,
) -> Array:
    """Round to oval spots within `region` (bool): dots, globules, cysts, openings or nests, by their size.

    `radius` is the smallest and the largest, `elongation` that of the longest, `blur` the edge's width in spot radii.
    """
    sheet = canvas.blank()
    for centre in canvas.scatter(rng, count, region):
        size = rng.triangular(radius[0], radius[0], radius[1]) * canvas.radius
        draw_disc(sheet, centre, size, rng.uniform(0.35, 1), rng.uniform(1, elongation), rng.uniform(0, 180))
    return soften(sheet, blur * sum(radius) / 2 * canvas.radius)


def cobblestones(
    canvas: Canvas, rng: np.random.Generator, cell: float, gap: float, jitter: float
) -> tuple[Array, Array]:
    """Closely packed rounded lumps: each one's own level 0..1, and the septa between them, 0..1."""
    levels, septa = canvas.blank(), canvas.blank()
    lumps = honeycomb(rng, canvas.side, canvas.fraction(cell), jitter)
    for lump in lumps:
        cv2.fillConvexPoly(levels, lump, int(rng.integers(90, 256)), cv2.LINE_AA, SUBPIXEL_BITS)
    cv2.polylines(septa, lumps, True, 255, max(1, round(gap * canvas.radius)), cv2.LINE_AA, SUBPIXEL_BITS)
    rounded = smoothstep(0.2, 0.8, soften(septa, 0.9 * gap * canvas.radius))
    return soften(levels, 0.06 * canvas.radius), rounded


def arborising_vessels(canvas: Canvas, rng: np.random.Generator, trees: int, region: Array) -> Array:
    """Sharp red vessels that branch like trees, from thick stems to fine twigs."""
    sheet = canvas.blank()
    for stem in canvas.scatter(rng, trees, region):
        towards_centre = math.atan2(canvas.side / 2 - stem[1], canvas.side / 2 - stem[0])
        branches = [(stem, towards_centre + rng.normal(0, 0.5), rng.uniform(0.018, 0.034), 4)]
        while branches:
            start, heading, width, generation = branches.pop()
            steps = rng.integers(5, 16)
            headings = heading + np.cumsum(rng.normal(0, 0.22, steps))
            strides = 0.05 * canvas.radius * np.stack([np.cos(headings), np.sin(headings)], axis=1)
            path = start + np.cumsum(strides, axis=0)
            draw_stroke(sheet, path, np.linspace(width, 0.7 * width, len(path)) * canvas.radius)
            if generation > 1:
                forks = headings[-1] + rng.uniform(0.3, 0.8, 2) * (1, -1)
                branches += [(path[-1], fork, 0.65 * width, generation - 1) for fork in forks]
    return soften(sheet, 0.01 * canvas.radius)


def fingerprint_ridges(canvas: Canvas, rng: np.random.Generator, spacing: float) -> Array:
    """Fine parallel ridges that swing like those of a fingertip."""
    direction = rng.uniform(0, math.tau)
    across = canvas.x * math.cos(direction) + canvas.y * math.sin(direction)
    swing = 0.12 * smooth_noise(rng, canvas.shape, canvas.fraction(0.9), octaves=2)
    return 0.5 + 0.5 * np.sin(math.tau * (across + swing) / spacing)


def scale(canvas: Canvas, rng: np.random.Generator, share: float) -> Array:
    """Flakes of white, dry keratin: torn patches, brightest along their edges."""
    flakes = patches(rng, canvas.shape, canvas.fraction(0.5), share, blur=0.15)
    torn = smoothstep(0.2, 0.9, smooth_noise(rng, canvas.shape, canvas.fraction(0.12), octaves=2))
    return np.asarray(flakes * torn)


def white_fibres(canvas: Canvas, rng: np.random.Generator) -> Array:
    """Short shiny white lines in two crossing directions, as polarised light shows them in scars."""
    angle = rng.uniform(0, math.pi)
    length, width = canvas.fraction(0.3), canvas.fraction(0.03)
    lines = [fibres(rng, canvas.shape, length, width, angle + turn) for turn in (0, 1.1)]
    return smoothstep(1.2, 2.8, np.maximum(*lines))


def blot(
    canvas: Canvas, rng: np.random.Generator, centre: tuple[float, float], radius: float, blur: float
) -> Array:
    """One structureless area with an uneven, soft edge; `centre` in radii from the lesion's."""
    distance = np.hypot(canvas.x - centre[0], canvas.y - centre[1])
    uneven = 0.18 * radius * smooth_noise(rng, canvas.shape, canvas.fraction(radius))
    return smoothstep(-blur / 2, blur / 2, radius - distance + uneven)
