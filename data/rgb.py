"""Pixels of any kind -> 8-bit RGB as a person sees them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

if TYPE_CHECKING:  # a prediction of a JPEG need not wait for it
    from PIL.TiffImagePlugin import TiffImageFile

# Converted at once: a few copies of these are small beside the image itself.
PIXELS_AT_ONCE = 4_000_000

# Of 255. A picture of 16 bits that gets no brighter holds values of 12 bits or fewer: shown as they are, it is black.
FEWER_BITS = 16

_UNDEFINED_RANGE = {"I": "32-bit integer", "F": "floating-point"}
_WHITE_IS_ZERO = 0
_SIGNED = 2


class PixelRangeError(Exception):
    """Pixels whose values have no known brightness; the message says why and the mend, without the file's name."""


def to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Bring a decoded image to RGB: transparency on white, 16-bit values scaled by their full range.

    Parameters
    ----------
    image : PIL image of any mode

    Returns
    -------
    uint8 array (H, W, 3)

    Raises
    ------
    PixelRangeError
        For signed, 32-bit and floating-point pixels.
    """
    if image.mode in _UNDEFINED_RANGE or _is_signed(image):
        kind = "signed" if _is_signed(image) else _UNDEFINED_RANGE[image.mode]
        raise PixelRangeError(
            f"{kind} pixels have no defined range of brightness; save the image with 8 or 16 bits a channel, unsigned."
        )
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        rgb[top : top + strip.height] = _strip_to_rgb(strip, image)
    return rgb


def check_depth(rgb: NDArray[np.uint8], bits: int) -> None:
    """Refuse pixels that came with more bits than they use; how many those are is a guess, and the brightness with it.

    Parameters
    ----------
    rgb : uint8 array (H, W, 3), from `to_rgb`
    bits : of a sample in the file

    Raises
    ------
    PixelRangeError
        If samples of 16 bits use 12 at most. No file says how many: a TIFF's MaxSampleValue is no reason to show it
        otherwise, and a PNG's sBIT leaves the range full.
    """
    if bits > 8 and rgb.max() <= FEWER_BITS:
        raise PixelRangeError(
            f"none of the {bits}-bit values is over a sixteenth of their range, as if they had 12 bits or fewer; "
            "scale them to the full range, or save the image with 8 bits."
        )


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    rows = max(1, PIXELS_AT_ONCE // image.width)
    if rows >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _strip_to_rgb(strip: Image.Image, image: Image.Image) -> NDArray[np.uint8]:
    if strip.mode.startswith("I;16"):
        return _to_8_bits(upright(np.asarray(strip), image))[:, :, None]
    if strip.has_transparency_data:
        opaque = Image.new("RGBA", strip.size, "white")
        opaque.alpha_composite(strip.convert("RGBA"))
        strip = opaque
    return np.asarray(strip.convert("RGB"))


def upright(values: NDArray[np.uint16], image: Image.Image) -> NDArray[np.uint16]:
    """The 16-bit values of an image's pixels with 0 for black and 65535 for white.

    Pillow leaves it to the reader that a TIFF file may hold 12 bits, and that its zero may be white.
    """
    values = values.astype(np.uint16)  # of either byte order
    if not _is_tiff(image):
        return values
    bits = int(image.tag_v2.get(ExifTags.Base.BitsPerSample, (16,))[0])
    if bits < 16:
        values = ((values << (16 - bits)) | (values >> (2 * bits - 16))).astype(np.uint16)
    white_is_zero = (
        image.tag_v2.get(ExifTags.Base.PhotometricInterpretation, _WHITE_IS_ZERO) == _WHITE_IS_ZERO
    )
    return np.uint16(65535) - values if white_is_zero else values


def _to_8_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _is_signed(image: Image.Image) -> bool:
    """Pillow reads signed values of 8 bits as if they were not."""
    return _is_tiff(image) and _SIGNED in image.tag_v2.get(ExifTags.Base.SampleFormat, ())


def _is_tiff(image: Image.Image) -> "TypeGuard[TiffImageFile]":
    return image.format == "TIFF"
