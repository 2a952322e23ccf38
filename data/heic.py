"""HEIC, the format of many phones' photos, for who has installed pillow-heif."""

import io
from importlib.util import find_spec

import cv2
import numpy as np

from data.images import MAX_PIXELS_PNG, ImageError

# Bytes 4 to 12 of a file: the box of its type, and the brands that hold one still picture.
_BRANDS = frozenset(
    b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc")
)
LEAST_COMPRESSION = 1


def is_heic(content: bytes) -> bool:
    """Whether a file's first bytes say that it is HEIC."""
    return content[4:12] in _BRANDS


def png_of_heic(content: bytes, name: str) -> bytes:
    """A HEIC file's picture as a PNG file, without loss and turned as it is to be seen.

    Raises
    ------
    ImageError
        If the file is damaged or too large, or pillow-heif is not installed.
    """
    if find_spec("pillow_heif") is None:
        raise ImageError(
            f"{name}: is a HEIC photo, and pillow-heif, which reads them, is not installed; "
            "let the phone save JPEG (“most compatible”), or install pillow-heif."
        )
    from pillow_heif import open_heif  # noqa: PLC0415 - needed for such files alone

    try:
        photo = open_heif(io.BytesIO(content), convert_hdr_to_8bit=True)
        width, height = photo.size
        if width * height > MAX_PIXELS_PNG:
            raise ImageError(
                f"{name}: {width} x {height} pixels are more than the {MAX_PIXELS_PNG / 1e6:g} million that are read; "
                "scale the image down."
            )
        pixels = np.asarray(photo.to_pillow().convert("RGB"))
    except ImageError:
        raise
    except Exception as error:  # damaged files make the decoder raise almost any type
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name}: the HEIC data are damaged ({reason}); copy the file again.") from error
    encoded = cv2.imencode(
        ".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, LEAST_COMPRESSION]
    )[1]
    return encoded.tobytes()
