"""Images from wherever they come, in as much detail as is asked for."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL.Image import Image

from data.images import MIN_SIDE, EncodedImage, ImageError, open_image
from data.rgb import PixelRangeError, check_depth, to_rgb
from segmentation.cropping import Box, crop

Source = str | Path | bytes | np.ndarray | Image | EncodedImage
AnySource = TypeVar("AnySource", bound=Source)


@dataclass(frozen=True, eq=False)
class Photograph:
    """An image, read in no more detail than its use asks for. Made by `open_photograph`.

    Attributes
    ----------
    source : EncodedImage or array
    pixels : uint8 RGB array (h, w, 3)
    size : (H, W)
        The image's own size; larger than that of the pixels where a large JPEG file was read reduced.
    """

    source: EncodedImage | np.ndarray
    pixels: np.ndarray
    size: tuple[int, int]

    def part(self, box: Box, enough: tuple[int, int]) -> np.ndarray:
        """What lies in a box, uint8 RGB array (h, w, 3): in the image's own detail, or reduced to `enough` or more.

        Parameters
        ----------
        box : Box in pixels of the image's own size
        enough : (height, width) in pixels
        """
        height, width = self.pixels.shape[:2]
        if (height, width) == self.size:
            return crop(self.pixels, box)
        rows, columns = self.size
        if box.height * height < enough[0] * rows or box.width * width < enough[1] * columns:
            whole = math.ceil(enough[0] * rows / box.height), math.ceil(enough[1] * columns / box.width)
            return open_photograph(self.source, whole).part(box, (1, 1))
        return crop(self.pixels, _scaled(box, height / rows, width / columns))


def open_photograph(source: Source, enough: tuple[int, int]) -> Photograph:
    """Read an image; a JPEG file that is much larger than `enough` (height, width) at a reduced size above that.

    Raises
    ------
    ImageError
        As `as_pixels`.
    """
    source = opened(source)
    if isinstance(source, np.ndarray):
        return Photograph(source, source, source.shape[:2])
    return Photograph(source, source.pixels(enough), source.size)


def opened(source: object) -> EncodedImage | np.ndarray:
    """An image file with its header read, or an array of RGB pixels, checked; a PIL image is turned as its EXIF says.

    Raises
    ------
    ImageError
        As `as_pixels`, but for damage that only the pixels show.
    """
    if isinstance(source, str | Path | bytes):
        return open_image(source)
    if isinstance(source, Image):
        return _check(_pixels_of(source))
    if isinstance(source, EncodedImage):
        return source
    if isinstance(source, np.ndarray):
        return _check(source)
    raise ImageError(
        f"{type(source).__name__}: is no image; give a path, a file's bytes, a uint8 array (height, width, 3) "
        "or a PIL image."
    )


def _pixels_of(image: Image) -> np.ndarray:
    from PIL import ImageOps  # noqa: PLC0415 - a file needs none of it

    try:
        rgb = to_rgb(ImageOps.exif_transpose(image))
        check_depth(rgb, 16 if image.mode.startswith("I;16") else 8)
        return rgb
    except PixelRangeError as error:
        raise ImageError(f"{type(image).__name__}: {error}") from None


def enough_pixels(
    segmentation: tuple[int, ...], classification: tuple[int, ...]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """How large (height, width) an image, and what of it is classified, may be reduced when the file is read.

    Both leave the resizing so many pixels to average over that a file and its pixels as an array differ little: not at
    all up to 12 megapixels with the bundle that ships, and above by 0.02 in a probability at the most that was seen
    (`tests/benchmarks/reduced_reading.py`).

    Parameters
    ----------
    segmentation, classification : (height, width, channels) of the models' inputs
    """
    (height, width, _), (rows, columns, _) = segmentation, classification
    return (max(4 * height, 8 * rows), max(4 * width, 8 * columns)), (4 * rows, 4 * columns)


def _scaled(box: Box, rows: float, columns: float) -> Box:
    return Box(round(box.x0 * columns), round(box.y0 * rows), round(box.x1 * columns), round(box.y1 * rows))


def as_pixels(source: Source) -> np.ndarray:
    """RGB pixels, uint8 (H, W, 3), of a path, an image file's content, an array of that form, or a PIL image.

    Raises
    ------
    ImageError
        If the file can't be read, or the array is no RGB image of 8 bits a channel.
    """
    source = opened(source)
    return source if isinstance(source, np.ndarray) else source.pixels()


def _check(array: np.ndarray) -> np.ndarray:
    if array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(f"array: has shape {array.shape} and not (height, width, 3); {_mend(array)}.")
    if array.dtype != np.uint8:
        raise ImageError(f"array: holds {array.dtype}; scale the values to 0..255 and convert them to uint8.")
    if min(array.shape[:2]) < MIN_SIDE:
        height, width, _ = array.shape
        raise ImageError(
            f"array: {width} x {height} pixels are too few; each side needs at least {MIN_SIDE}."
        )
    return np.ascontiguousarray(array)


def _mend(array: np.ndarray) -> str:
    if array.ndim == 2:
        return "repeat a grey image's values for the three channels"
    if array.ndim == 4:
        return "give one image at a time"
    if array.ndim == 3 and array.shape[0] == 3:
        return "move the channels to the last axis"
    if array.ndim == 3 and array.shape[2] == 4:
        return "leave out the alpha channel"
    return "give RGB pixels"
