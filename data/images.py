"""Bytes or a path -> an RGB array, or an error that says what is wrong with the file."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

from data.image_damage import (
    check_bmp,
    check_jpeg,
    check_palette,
    check_png,
    check_webp,
    png_without_pixels,
    webp_size,
)
from data.image_files import ImageError, ImageSource, name_of, read_content
from data.jpeg import decode_jpeg, reduction
from data.mask_values import MaskValueError, lesion_of
from data.rgb import PixelRangeError, check_depth, to_rgb
from data.silence import silence_libtiff
from data.tiff_damage import check_tiff

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.TiffImagePlugin import TiffImageFile

__all__ = [
    "MAX_PIXELS",
    "MIN_SIDE",
    "EncodedImage",
    "ImageError",
    "ImageSource",
    "MaskError",
    "image_size",
    "open_image",
    "read_image",
    "read_mask",
]

# Over what cameras and telephones write as JPEG (61 and 64 million), and telephones as HEIC, which is kept as PNG (50).
# The other formats take more memory while they are decoded. Predicting a folder of such images stays under 1 GB.
MAX_PIXELS = 65_000_000
MAX_PIXELS_PNG = 51_000_000
MAX_PIXELS_OTHERS = 40_000_000
_MAX_PIXELS_OF = {"Jpeg": MAX_PIXELS, "Png": MAX_PIXELS_PNG}
MIN_SIDE = 32

# The formats by a file's first bytes. `Image.open` would tell them, too, and warn of a decompression bomb before the
# size could be judged here, and load the readers of formats that are not needed.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "Jpeg"),
    (b"\x89PNG\r\n\x1a\n", "Png"),
    (b"BM", "Bmp"),
    (b"II*\0", "Tiff"),
    (b"MM\0*", "Tiff"),
    (b"II+\0", "Tiff"),
    (b"MM\0+", "Tiff"),
)

_PNG_BIT_DEPTH = (
    24  # where its byte lies: after the signature, the first chunk's length and name, and both sides
)

# EXIF's orientations as flips of the array, after the sides were swapped.
_TURNS_THAT_SWAP_SIDES = (5, 6, 7, 8)
_TURNS_UPSIDE_DOWN = (3, 4, 7, 8)
_TURNS_LEFT_TO_RIGHT = (2, 3, 6, 7)

# Pillow's remarks on damaged metadata are for programmers; damaged pixels are errors here.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)


class MaskError(ImageError):
    """A mask whose values can be read in more than one way."""


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """An image file of which only the header was read. Made by `open_image`.

    Attributes
    ----------
    name : str
        What errors call the image.
    size : (H, W)
        In pixels, as the decoded image has it.
    """

    name: str
    size: tuple[int, int]
    _content: bytes
    _header: ImageFile
    _turn: int

    def pixels(self, enough: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Decode the image: uint8 RGB (H, W, 3).

        With `enough` (height, width), a JPEG file is decoded at a half, a quarter or an eighth of its size where
        neither side gets shorter than that.

        Raises
        ------
        ImageError
            If the data are damaged, as far as the file or its decoder can tell, or have no defined range.
        """
        with self._blaming_the_file():
            if self._header.format != "JPEG":
                rgb = to_rgb(self._decoded())
                check_depth(rgb, _sample_bits(self._header, self._content))
                return _turned(rgb, self._turn)
            check_jpeg(self._content)
            if enough and self._turn in _TURNS_THAT_SWAP_SIDES:
                enough = enough[::-1]
            width, height = self._header.size
            divisor = reduction((height, width), enough) if enough else 1
            return _turned(
                decode_jpeg(self._content, cast("JpegImageFile", self._header), divisor), self._turn
            )

    def lesion(self) -> NDArray[np.bool_]:
        """Decode the image as a mask: bool (H, W), see `read_mask`."""
        if self._header.format == "JPEG":
            pixels = Image.fromarray(self.pixels())
            with self._blaming_the_file():
                return lesion_of(pixels)
        with self._blaming_the_file():
            return _turned(lesion_of(self._decoded()), self._turn)

    def _decoded(self) -> ImageFile:
        image = _header(self._content)  # a new one, so that its pixels are not kept
        if image.format == "PNG":
            check_png(self._content)
        elif image.format == "WEBP":
            check_webp(self._content)
        elif image.format == "TIFF":
            silence_libtiff()
            check_tiff(self._content, cast("TiffImageFile", image))
        elif image.format == "BMP":
            check_bmp(self._content, image)
        image.load()
        check_palette(image)
        return image

    @contextmanager
    def _blaming_the_file(self) -> Iterator[None]:
        try:
            yield
        except PixelRangeError as error:
            raise ImageError(f"{self.name}: {error}") from None
        except MaskValueError as error:
            raise MaskError(f"{self.name}: {error}") from None
        except Exception as error:  # damaged data make decoders raise almost any type
            raise _damaged(self.name, self._header.format, error) from error


def open_image(
    source: ImageSource, *, name: str | None = None, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE
) -> EncodedImage:
    """Read an image file's content and header, and judge its size; no pixel is decoded.

    Parameters and errors are those of `read_image`, but for damage that only the pixels show.
    """
    name = name or name_of(source)
    content = read_content(source, name)
    kind = _kind(content)
    if kind is None:
        raise ImageError(f"{name}: is not a JPEG, PNG, BMP, TIFF or WebP image; convert it to one of these.")
    max_pixels = (
        max_pixels if kind == "Jpeg" else min(max_pixels, _MAX_PIXELS_OF.get(kind, MAX_PIXELS_OTHERS))
    )
    try:
        if kind == "WebP":
            _check_size(webp_size(content), name, max_pixels, min_side)
        if kind == "Jpeg":
            check_jpeg(content)
        header = _header(content)
        turn = _orientation(header, content)
    except ImageError:
        raise
    except Exception as error:  # a damaged header makes Pillow raise almost any type
        raise _damaged(name, kind.upper(), error) from error
    _check_size(header.size, name, max_pixels, min_side)
    if header.format == "TIFF" and _is_16_bit_planar(header):
        raise ImageError(f"{name}: 16-bit TIFF with separate colour planes is not read; save it with 8 bits.")
    width, height = header.size
    size = (width, height) if turn in _TURNS_THAT_SWAP_SIDES else (height, width)
    return EncodedImage(name, size, content, header, turn)


def read_image(
    source: ImageSource, *, name: str | None = None, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE
) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, BMP, TIFF or WebP image as 8-bit RGB.

    The format is told by the content and not by the suffix, and the size is judged before any pixel is
    decoded. The EXIF orientation is applied, transparency is laid on white, 16-bit values are scaled by their
    full range and refused where they use 12 bits of it at most, and of an animation or a file of several pages the
    first is read. Colour profiles are not applied, as the datasets that models are trained on carry none.

    What a checksum, a length or the decoder knows of damage is refused. A JPEG, BMP or WebP file, and a TIFF file
    that is not deflated, has no checksum: see docs/reliability.md for the part of damaged files that is not noticed.

    Parameters
    ----------
    source : str, Path or bytes
        The file, or its content.
    name : str, optional
        What errors call the image; by default its path, or "image" for bytes.
    max_pixels : int
        The most pixels (width times height) that are decoded; at most 51 million of a PNG, 40 of others but JPEG.
    min_side : int
        The shortest side, in pixels, that is taken for an image.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ImageError
        If the file is missing, no regular file, empty, no image, damaged, too small, too large, or its pixels have
        no defined range.
    """
    return open_image(source, name=name, max_pixels=max_pixels, min_side=min_side).pixels()


def read_mask(path: ImageSource, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.bool_]:
    """Read a lesion mask.

    Parameters
    ----------
    path : str, Path or bytes
        A mask image of any kind that `read_image` takes, and of any range of values: see
        `data.mask_values.lesion_of` for what they mean.
    max_pixels : int
        The most pixels (width times height) that are decoded.

    Returns
    -------
    ndarray of bool, shape (H, W)
        True on the lesion.

    Raises
    ------
    ImageError
        As `read_image`; a `MaskError` if the values can be read in more than one way.
    """
    return open_image(path, max_pixels=max_pixels, min_side=1).lesion()


def image_size(path: ImageSource) -> tuple[int, int]:
    """Height and width in pixels as `read_image` returns them, from the header alone.

    Raises
    ------
    ImageError
        If the file can't be opened, its header can't be read, or it names more pixels than are decoded.
    """
    return open_image(path, min_side=1).size


def _kind(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    return next((kind for signature, kind in _SIGNATURES if content.startswith(signature)), None)


def _header(content: bytes) -> ImageFile:
    kind = _kind(content)
    reader = getattr(import_module(f"PIL.{kind}ImagePlugin"), f"{kind}ImageFile")
    header: ImageFile = reader(io.BytesIO(content))
    return header


def _is_16_bit_planar(tiff: Any) -> bool:
    """Pillow decodes these to wrong colours, without an error."""
    return bool(tiff.tag_v2.get(ExifTags.Base.PlanarConfiguration) == 2 and _sample_bits(tiff) > 8)


def _sample_bits(header: Any, content: bytes = b"") -> int:
    """Bits of a sample in a PNG or TIFF file; 8 for the other formats, which have no more."""
    if header.format == "PNG":
        return content[_PNG_BIT_DEPTH]
    return max(header.tag_v2.get(ExifTags.Base.BitsPerSample, (1,))) if header.format == "TIFF" else 8


def _check_size(size: tuple[int, int], name: str, max_pixels: int, min_side: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: {width} x {height} pixels are more than the {max_pixels / 1e6:g} million "
            "that are read; scale the image down."
        )
    if min(width, height) < min_side:
        raise ImageError(
            f"{name}: {width} x {height} pixels are too few, each side needs at least {min_side}; "
            "give the image in its original size."
        )


def _orientation(header: ImageFile, content: bytes) -> int:
    """The EXIF orientation that is still to be applied, 1 to 8."""
    if header.format == "TIFF":
        return 1  # Pillow's TIFF reader applies it by itself
    try:
        if header.format == "PNG":  # Pillow would decode the pixels to look behind them
            header = _header(png_without_pixels(content))
        return int(Image.Image.getexif(header).get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata is no reason to refuse good pixels
        return 1


def _turned(pixels: NDArray[Any], turn: int) -> NDArray[Any]:
    """Apply an EXIF orientation to an array (H, W) or (H, W, C)."""
    if turn in _TURNS_THAT_SWAP_SIDES:
        pixels = pixels.swapaxes(0, 1)
    if turn in _TURNS_UPSIDE_DOWN:
        pixels = pixels[::-1]
    if turn in _TURNS_LEFT_TO_RIGHT:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _damaged(name: str, file_format: str | None, error: Exception) -> ImageError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ImageError(
        f"{name}: the {file_format} data are cut short, damaged or of an unsupported kind ({reason}); "
        "copy the file again or save it as an 8-bit RGB image."
    )
