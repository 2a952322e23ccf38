"""Bytes or a path -> an RGB array, or an error that says what is wrong with the file."""

import io
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

MAX_PIXELS = 100_000_000
MIN_SIDE = 32

ImageSource = str | Path | bytes

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

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNS_THAT_SWAP_SIDES = (5, 6, 7, 8)

_UNDEFINED_RANGE = {"I": "32-bit integer", "F": "floating-point"}


class ImageError(Exception):
    """An image file that can't be used; the message names the file, what is wrong with it, and the mend."""


def read_image(
    source: ImageSource, *, name: str | None = None, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE
) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, BMP, TIFF or WebP image as 8-bit RGB.

    The format is told by the content and not by the suffix, and the size is judged before any pixel is
    decoded. The EXIF orientation is applied, transparency is laid on white, 16-bit values are scaled by their
    full range, and of an animation or a file of several pages the first is read. Colour profiles are not
    applied, as the datasets that models are trained on carry none.

    Parameters
    ----------
    source : str, Path or bytes
        The file, or its content.
    name : str, optional
        What errors call the image; by default its path, or "image" for bytes.
    max_pixels : int
        The most pixels (width times height) that are decoded.
    min_side : int
        The shortest side, in pixels, that is taken for an image.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ImageError
        If the file is missing, empty, no image, damaged, too small, too large, or its pixels have no
        defined range.
    """
    pixels, _ = _read(source, name or _name(source), max_pixels, min_side)
    return pixels


def read_reduced(source: ImageSource, enough: tuple[int, int]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Read an image as `read_image` does, but no larger than needed where that is quicker.

    A JPEG file decodes at a half, a quarter or an eighth of its size in a fraction of the time and memory, each pixel
    the mean of those that it stands for.

    Parameters
    ----------
    source : str, Path or bytes
    enough : (height, width)
        Neither side gets shorter than this by the reduction.

    Returns
    -------
    pixels : ndarray of uint8, shape (h, w, 3)
    size : (H, W), the image's own size

    Raises
    ------
    ImageError
        As `read_image`.
    """
    return _read(source, _name(source), MAX_PIXELS, MIN_SIDE, enough)


def _read(
    source: ImageSource, name: str, max_pixels: int, min_side: int, enough: tuple[int, int] | None = None
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    with _open(source, name) as file:
        image = _read_header(file, name)
        _check_size(image, name, max_pixels, min_side)
        turn = _orientation(image)
        width, height = image.size
        if enough and image.format == "JPEG":
            image.draft(None, enough if turn in _TURNS_THAT_SWAP_SIDES else enough[::-1])
        _decode(image, name)
        rgb = _to_rgb(image, name)
    pixels = np.array(rgb.transpose(_TURNS[turn]) if turn in _TURNS else rgb)
    return pixels, (width, height) if turn in _TURNS_THAT_SWAP_SIDES else (height, width)


def read_mask(path: ImageSource, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.bool_]:
    """Read a lesion mask.

    Parameters
    ----------
    path : str, Path or bytes
        A mask image of any kind that `read_image` takes. A mask of zeros and ones is taken as it is meant.
    max_pixels : int
        The most pixels (width times height) that are decoded.

    Returns
    -------
    ndarray of bool, shape (H, W)
        True where the value is over 127, on the lesion.

    Raises
    ------
    ImageError
        As `read_image`.
    """
    values = read_image(path, max_pixels=max_pixels, min_side=1).max(axis=2)
    return np.asarray(values > (0 if values.max() == 1 else 127))


def image_size(path: ImageSource) -> tuple[int, int]:
    """Height and width in pixels as `read_image` returns them, from the header alone.

    Raises
    ------
    ImageError
        If the file can't be opened or its header can't be read.
    """
    name = _name(path)
    with _open(path, name) as file:
        image = _read_header(file, name)
        width, height = image.size
        return (width, height) if _orientation(image) in _TURNS_THAT_SWAP_SIDES else (height, width)


def _name(source: ImageSource) -> str:
    return "image" if isinstance(source, bytes) else str(source)


def _open(source: ImageSource, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return Path(source).open("rb")
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file; check the path.") from None
    except IsADirectoryError:
        raise ImageError(f"{name}: is a folder and not an image; name the files in it.") from None
    except PermissionError:
        raise ImageError(f"{name}: reading it is not permitted; change the file's permissions.") from None
    except OSError as error:
        raise ImageError(
            f"{name}: can't be opened ({error.strerror}); check the path and the disk."
        ) from error


def _read_header(file: BinaryIO, name: str) -> ImageFile:
    start = file.read(16)
    if not start:
        raise ImageError(f"{name}: the file is empty; copy it again from where it came.")
    kind = next((kind for signature, kind in _SIGNATURES if start.startswith(signature)), None)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        kind = "WebP"
    if kind is None:
        raise ImageError(f"{name}: is not a JPEG, PNG, BMP, TIFF or WebP image; convert it to one of these.")
    reader = getattr(import_module(f"PIL.{kind}ImagePlugin"), f"{kind}ImageFile")
    file.seek(0)
    try:
        image: ImageFile = reader(file)
    except Exception as error:  # a damaged header makes Pillow raise almost any type
        raise _damaged(name, reader.format, error) from error
    if image.format == "TIFF" and _is_16_bit_planar(image):
        raise ImageError(f"{name}: 16-bit TIFF with separate colour planes is not read; save it with 8 bits.")
    return image


def _is_16_bit_planar(tiff: Any) -> bool:
    """Pillow decodes these to wrong colours, without an error."""
    tags = tiff.tag_v2
    bits = tags.get(ExifTags.Base.BitsPerSample, (1,))
    return bool(tags.get(ExifTags.Base.PlanarConfiguration) == 2 and max(bits) > 8)


def _check_size(image: ImageFile, name: str, max_pixels: int, min_side: int) -> None:
    width, height = image.size
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


def _orientation(image: ImageFile) -> int:
    """The EXIF orientation that is still to be applied, 1 to 8."""
    if image.format == "TIFF":
        return 1  # Pillow's TIFF reader applies it by itself
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata is no reason to refuse good pixels
        return 1


def _decode(image: ImageFile, name: str) -> None:
    try:
        image.load()
    except Exception as error:  # damaged data makes Pillow's decoders raise almost any type
        raise _damaged(name, image.format, error) from error


def _damaged(name: str, file_format: str | None, error: Exception) -> ImageError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ImageError(
        f"{name}: the {file_format} data are cut short, damaged or of an unsupported kind ({reason}); "
        "copy the file again or save it as an 8-bit RGB image."
    )


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in _UNDEFINED_RANGE:
        raise ImageError(
            f"{name}: {_UNDEFINED_RANGE[image.mode]} pixels have no defined range of brightness; "
            "save the image with 8 or 16 bits a channel."
        )
    if image.mode.startswith("I;16"):
        return Image.fromarray(_scale_to_8_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        return opaque.convert("RGB")
    return image.convert("RGB")


def _scale_to_8_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
