"""Brushes that everything is drawn with: noise, patches, cells and strokes, with lengths given as fractions."""

import math
from statistics import NormalDist

import cv2
import numpy as np

Array = np.ndarray
Shape = tuple[int, int]

SUBPIXEL_BITS = 4


def smoothstep(low: float, high: float, values: Array) -> Array:
    """0 below `low`, 1 above `high`, and a smooth cubic rise between them."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def smooth_noise(rng: np.random.Generator, shape: Shape, cell: float, octaves: int = 3) -> Array:
    """Cloudy noise of mean 0 and standard deviation 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (height, width) in pixels
    cell : size of the largest clouds, as a fraction of the shorter side
    octaves : how many layers of clouds there are, each half as large and 0.65 times as strong as the one before

    Returns
    -------
    float32 array (height, width)
    """
    height, width = shape
    noise: Array = np.zeros((2, 2), np.float32)
    for octave in range(octaves):
        pixels = max(1.0, cell * min(shape) / 2**octave)
        columns, rows = max(2, round(width / pixels) + 1), max(2, round(height / pixels) + 1)
        noise = cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC)
        noise = noise + rng.standard_normal((rows, columns), np.float32) * 0.65**octave
    noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return standardised(noise)


def standardised(sheet: Array) -> Array:
    """The sheet with mean 0 and standard deviation 1."""
    return np.asarray((sheet - sheet.mean()) / (sheet.std() + 1e-6))


def patches(rng: np.random.Generator, shape: Shape, cell: float, share: float, blur: float = 0.4) -> Array:
    """Soft-edged islands, 0..1, that cover about `share` of the sheet; `blur` is the width of their edges."""
    level = NormalDist().inv_cdf(1 - share)
    return smoothstep(level - blur, level + blur, smooth_noise(rng, shape, cell))


def fibres(rng: np.random.Generator, shape: Shape, length: float, width: float, angle: float) -> Array:
    """Noise drawn out into fibres along `angle` (radians), mean 0 and standard deviation 1.

    `length` and `width` of a fibre are fractions of the sheet's shorter side.
    """
    size = shape[::-1]
    reach = math.ceil(math.hypot(*shape))
    rows = max(2, round(reach / max(1.0, width * min(shape))))
    columns = max(2, round(reach / max(1.0, length * min(shape))))
    grid = rng.standard_normal((rows, columns), np.float32)
    straight = cv2.resize(grid, (reach, reach), interpolation=cv2.INTER_CUBIC)
    turn = cv2.getRotationMatrix2D((reach / 2, reach / 2), math.degrees(angle), 1.0)
    turn[:, 2] = turn[:, 2] - (reach - np.array(size)) / 2
    turned = cv2.warpAffine(straight, turn, size, borderMode=cv2.BORDER_REFLECT)
    return standardised(turned)


def honeycomb(rng: np.random.Generator, side: int, cell: float, jitter: float) -> list[Array]:
    """Cells that fill a square sheet: the Voronoi polygons of a hexagonal grid whose points are shaken.

    `cell` is a fraction of the side; `jitter` is in cells, 0 for regular hexagons, 0.5 for a disorderly mesh. The
    polygons (N, 2) come in the integers that OpenCV draws with, see `fixed_point`.
    """
    step = cell * side
    rows, columns = np.mgrid[0 : 1 / cell * 1.16, 0 : 1 / cell + 1]
    points = np.stack([columns + 0.5 * (rows % 2), rows * math.sqrt(0.75)], axis=-1).reshape(-1, 2)
    points = (points + rng.uniform(-jitter, jitter, points.shape)) * step
    inside = np.all((points > 1) & (points < side - 1), axis=1)
    mesh = cv2.Subdiv2D((0, 0, side, side))
    mesh.insert(points[inside].tolist())
    polygons, _ = mesh.getVoronoiFacetList([])
    return [fixed_point(np.asarray(polygon)) for polygon in polygons]


def fixed_point(coordinates: Array) -> Array:
    """Pixel coordinates in the integer form in which OpenCV draws between pixels."""
    steps: Array = np.rint(coordinates * 2**SUBPIXEL_BITS).astype(np.int32)
    return steps


def draw_stroke(sheet: Array, path: Array, widths: Array, value: float = 1.0) -> None:
    """Draw a line of varying width on a uint8 sheet; `path` (N, 2) and `widths` (N,) in pixels, `value` 0..1."""
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-6
    edge = across * np.reshape(np.maximum(widths - 1, 0), (-1, 1)) / 2
    ribbon = fixed_point(np.concatenate([path + edge, (path - edge)[::-1]]))
    cv2.fillPoly(sheet, [ribbon], round(255 * value), cv2.LINE_AA, SUBPIXEL_BITS)


def draw_disc(
    sheet: Array,
    centre: Array,
    radius: float,
    value: float = 1.0,
    elongation: float = 1.0,
    angle: float = 0.0,
) -> None:
    """Draw a filled ellipse on a uint8 sheet; `radius` in pixels is its mean radius, `angle` in degrees."""
    axes = fixed_point(np.array([radius * math.sqrt(elongation), radius / math.sqrt(elongation)])).tolist()
    middle = fixed_point(centre).tolist()
    cv2.ellipse(sheet, middle, axes, angle, 0, 360, round(255 * value), -1, cv2.LINE_AA, SUBPIXEL_BITS)


def soften(sheet: Array, pixels: float) -> Array:
    """A drawn uint8 sheet as float32 0..1, its edges blurred over `pixels`."""
    density = sheet.astype(np.float32) / 255
    return cv2.GaussianBlur(density, (0, 0), pixels) if pixels > 0.1 else density
