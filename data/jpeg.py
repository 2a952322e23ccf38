"""The content of a JPEG file -> pixels, and every complaint of its decoder heard.

Pillow drops the warnings in which libjpeg tells that it made pixels up: of data that end early, of codes that don't
exist, of bytes too many. simplejpeg decodes with the same libjpeg-turbo, bit by bit the same, and raises them.
"""

import io
import re

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from data.image_damage import DamageError

REDUCTIONS = (8, 4, 2)

# Of headers that are odd and do no harm, and of chroma sampling that the interface of libjpeg-turbo can't name.
_HARMLESS = re.compile("unknown JFIF revision|unknown Adobe color|subsampling level", re.IGNORECASE)


def reduction(size: tuple[int, int], enough: tuple[int, int]) -> int:
    """By how much each side of an image of `size` may be divided in decoding: 8, 4, 2 or 1.

    Both are (height, width); no side gets shorter than `enough`.
    """
    spare = min(size[0] // max(1, enough[0]), size[1] // max(1, enough[1]))
    return next((factor for factor in REDUCTIONS if factor <= spare), 1)


def decode_jpeg(content: bytes, header: JpegImageFile, divisor: int = 1) -> NDArray[np.uint8]:
    """Decode a JPEG file of 8 bits: grey, colour or CMYK.

    Parameters
    ----------
    content : bytes
    header : JpegImageFile
        Pillow's reading of the header.
    divisor : 1, 2, 4 or 8
        Each side is decoded at this part of its length, rounded up.

    Returns
    -------
    uint8 array (h, w, 3), RGB, as the file stores it: the EXIF orientation is not applied

    Raises
    ------
    DamageError
        If the data are damaged, as far as the decoder can tell.
    """
    width, height = header.size
    least = {"min_height": -(-height // divisor), "min_width": -(-width // divisor)} if divisor > 1 else {}
    try:
        if simplejpeg.decode_jpeg_header(content)[:2] != (height, width):
            raise DamageError("it names two sizes")
        if header.mode == "CMYK":  # written inverted, as Adobe does
            ink = Image.fromarray(255 - simplejpeg.decode_jpeg(content, "CMYK", **least), "CMYK")
            return np.array(ink.convert("RGB"))
        return np.asarray(simplejpeg.decode_jpeg(content, "RGB", **least))
    except ValueError as error:
        if not _HARMLESS.search(str(error)):
            raise DamageError(str(error)) from None
    return _decode_with_pillow(content, divisor)


def check_jpeg_data(content: bytes) -> None:
    """Decode JPEG data of any kind for the decoder's complaints alone; raises `DamageError` with the first."""
    try:
        colours = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}
        found = simplejpeg.decode_jpeg_header(content)[2]
        simplejpeg.decode_jpeg(content, colours.get(found, "RGB"))
    except ValueError as error:
        if not _HARMLESS.search(str(error)):
            raise DamageError(str(error)) from None


def _decode_with_pillow(content: bytes, divisor: int) -> NDArray[np.uint8]:
    image = JpegImageFile(io.BytesIO(content))
    if divisor > 1:
        image.draft(None, (image.width // divisor, image.height // divisor))
    return np.array(image.convert("RGB"))
