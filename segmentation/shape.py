"""Measurements of a lesion's shape and colours, taken on its mask."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import find_objects
from skimage.color import rgb2lab
from skimage.filters import gaussian
from skimage.measure import find_contours, regionprops
from skimage.transform import EuclideanTransform, warp

from data.resizing import resize, resize_mask
from segmentation.cropping import lesion_bounds
from segmentation.measures import MEASURED_SIDE, MEASURES, RIM


@dataclass(frozen=True)
class Measurement:
    """A measure's value on one lesion; the other fields as in `segmentation.measures.Measure`, the unit in millimetres
    where the scale is known."""

    name: str
    value: float
    unit: str
    meaning: str
    source: str


def measure_lesion(
    image: np.ndarray, mask: np.ndarray, millimetres_per_pixel: float | None = None
) -> tuple[Measurement, ...]:
    """Area, diameter, asymmetry, border irregularity and colour variegation of a lesion.

    Parameters
    ----------
    image : uint8 RGB array (H, W, 3)
    mask : bool array (H, W)
    millimetres_per_pixel : float, optional
        Where it is given, area and diameter come in millimetres.

    Returns
    -------
    tuple of Measurement; empty where the mask holds no plausible lesion, as `lesion_bounds` tells.

    Raises
    ------
    ValueError
        If the scale is not a positive, finite number, or image and mask differ in size.
    """
    scale = 1.0 if millimetres_per_pixel is None else millimetres_per_pixel
    if not 0 < scale < np.inf:
        raise ValueError(f"millimetres_per_pixel must be positive and finite, not {scale}")
    if image.shape[:2] != mask.shape:
        raise ValueError(
            f"the image is {image.shape[:2]} and its mask {mask.shape}; they must be of one size"
        )
    if lesion_bounds(mask) is None:
        return ()
    unit = "px" if millimetres_per_pixel is None else "mm"
    values = (
        lesion_area(mask) * scale**2,
        lesion_diameter(mask) * scale,
        asymmetry(mask),
        border_irregularity(mask),
        colour_variegation(image, mask),
    )
    return tuple(
        Measurement(measure.name, value, measure.unit.replace("px", unit), measure.meaning, measure.source)
        for measure, value in zip(MEASURES, values, strict=True)
    )


def lesion_area(mask: np.ndarray) -> int:
    """Number of pixels of a bool mask (H, W)."""
    return int(np.count_nonzero(mask))


def lesion_diameter(mask: np.ndarray) -> float:
    """Largest Feret diameter of a bool mask (H, W) in pixels: the longest distance between two points of its border.

    The diameter of the ABCD criteria: N. R. Abbasi et al. Early diagnosis of cutaneous melanoma: revisiting the ABCD
    criteria. JAMA 292, 2004.

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    size = mask[_bounds(mask)].shape
    (region,) = regionprops(_region(mask).astype(np.uint8))
    return float(region.feret_diameter_max * max(size) / max(_measured_size(size)))


def asymmetry(mask: np.ndarray) -> float:
    """How far a bool mask (H, W) differs from its mirror images along its two principal axes, 0 (not at all) to 1.

    For each axis through the centroid, the area without a counterpart on the other side, over the mask's area; then the
    mean of both: M. E. Celebi et al. A methodological approach to the classification of dermoscopy images. Computerized
    Medical Imaging and Graphics 31, 2007 (their A2, halved).

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    region = _region(mask)
    (properties,) = regionprops(region.astype(np.uint8))
    upright = _turned_upright(region, properties.centroid, properties.orientation)
    unmatched = [np.count_nonzero(upright != np.flip(upright, axis)) / 2 for axis in (0, 1)]
    return float(np.mean(unmatched) / np.count_nonzero(upright))


def border_irregularity(mask: np.ndarray) -> float:
    """Irregularity index of a bool mask (H, W): perimeter² / (4 π area), 1 for a disc.

    J. E. Golston et al. Automatic detection of irregular borders in melanoma and other skin tumors. Computerized
    Medical Imaging and Graphics 16, 1992. The perimeter follows a slightly blurred border, which the steps between
    pixels don't lengthen.

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    region = _region(mask)
    borders = find_contours(gaussian(region.astype(np.float64)), 0.5)
    perimeter = sum(np.linalg.norm(np.diff(border, axis=0), axis=1).sum() for border in borders)
    return float(perimeter**2 / (4 * np.pi * np.count_nonzero(region)))


def colour_variegation(image: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square of the colour differences (CIE 1976 ΔE*ab) between the lesion's pixels and their mean colour.

    The same as the length of the vector of the standard deviations in L*, a* and b*; standard deviations of colour
    channels within the lesion are features of Celebi et al. 2007.

    Parameters
    ----------
    image : uint8 RGB array (H, W, 3)
    mask : bool array (H, W)

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    rows, columns = _bounds(mask)
    size = _measured_size(mask[rows, columns].shape)
    colours = rgb2lab(resize(image[rows, columns], size))[resize_mask(mask[rows, columns], size)]
    return float(np.linalg.norm(colours.std(axis=0)))


def _bounds(mask: np.ndarray) -> tuple[slice, slice]:
    bounds = find_objects(mask.astype(np.uint8))
    if not bounds:
        raise ValueError("the mask is empty; there is nothing to measure")
    rows, columns = bounds[0]
    return rows, columns


def _measured_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, MEASURED_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _region(mask: np.ndarray) -> np.ndarray:
    """The part of a mask that holds the lesion, at most `MEASURED_SIDE` long, with a rim of background."""
    region = mask[_bounds(mask)]
    return np.pad(resize_mask(region, _measured_size(region.shape)), RIM)


def _turned_upright(region: np.ndarray, centroid: tuple[float, float], orientation: float) -> np.ndarray:
    """The region with its centroid in the middle of a square of odd side, and its longest axis vertical."""
    radius = int(np.ceil(np.hypot(*region.shape)))
    to_middle = EuclideanTransform(translation=(-radius, -radius))
    to_region = EuclideanTransform(rotation=-orientation, translation=(centroid[1], centroid[0]))
    side = 2 * radius + 1
    turned = warp(region.astype(np.float32), to_middle + to_region, output_shape=(side, side), order=1)
    return np.asarray(turned >= 0.5)
