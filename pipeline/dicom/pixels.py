"""Pixel data of a DICOM file -> an 8-bit RGB array."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from data.images import MAX_PIXELS_OTHERS, MIN_SIDE, ImageError

# pydicom gives RGB for all of them.
COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
PALETTE = "PALETTE COLOR"

_LONGEST_REASON = 160


def rgb_of(file: Path | Dataset, header: Dataset, index: int, name: str) -> np.ndarray:
    """One frame as 8-bit RGB.

    YBR and palettes become RGB, more than 8 bits are scaled by their full range, grey values go through the modality
    and VOI look-up tables or the window, and MONOCHROME1 is turned over. Colours are brought to sRGB by the ICC
    profile where the file carries one; a profile that can't be read is passed over.

    Parameters
    ----------
    file : Path, or Dataset with the pixel data
    header : Dataset, all but the pixel data
    index : of the frame, from 0
    name : what errors call the image

    Returns
    -------
    uint8 RGB array (H, W, 3)

    Raises
    ------
    ImageError
        If the pixels are missing, damaged, too few, too many, of an unknown kind, or compressed in a way that no
        installed library reads.
    """
    _check_size(header, name)
    kind = str(header.get("PhotometricInterpretation", ""))
    if kind not in COLOUR | GREY | {PALETTE}:
        raise ImageError(
            f"{name}: pixels of the kind {kind or 'that is not told'} (PhotometricInterpretation) are not read; "
            "export the image as RGB, YBR_FULL_422 or MONOCHROME2."
        )
    values = _decode(file, header, index, name)
    try:
        if kind in COLOUR:
            rgb = _to_8_bits(values, int(header.BitsStored))
        elif kind == PALETTE:
            rgb = _to_8_bits(
                apply_color_lut(values, header), int(header.RedPaletteColorLookupTableDescriptor[2])
            )
        else:
            rgb = np.repeat(_grey(values, header, kind)[:, :, None], 3, axis=2)
    except Exception as error:  # damaged tables make the library raise almost any type
        raise _damaged(name, error) from error
    if rgb.shape != (header.Rows, header.Columns, 3):
        raise ImageError(
            f"{name}: the pixels have the shape {rgb.shape} and not that of an RGB image; export the image again."
        )
    return _to_srgb(rgb, header)


def _check_size(header: Dataset, name: str) -> None:
    height, width = header.get("Rows"), header.get("Columns")
    if not isinstance(height, int) or not isinstance(width, int):
        raise ImageError(f"{name}: Rows or Columns are missing, so there is no image in it; export it again.")
    if width * height > MAX_PIXELS_OTHERS:
        raise ImageError(
            f"{name}: {width} x {height} pixels are more than the {MAX_PIXELS_OTHERS / 1e6:g} million that are read; "
            "scale the image down."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name}: {width} x {height} pixels are too few, each side needs at least {MIN_SIDE}; "
            "give the image in its original size."
        )


def _decode(file: Path | Dataset, header: Dataset, index: int, name: str) -> np.ndarray:
    syntax = header.file_meta.TransferSyntaxUID
    try:
        # What is deflated comes as a whole; of everything else no more than the one frame is read.
        whole = syntax.is_deflated and isinstance(file, Path)
        return pixel_array(dcmread(file) if whole else file, index=index)
    except OSError as error:
        if error.filename is not None:
            raise ImageError(
                f"{name}: can't be read ({error.strerror}); check the path and the disk."
            ) from error
        raise _damaged(name, error) from error
    except NotImplementedError as error:
        raise ImageError(
            f"{name}: pixels that are compressed as {syntax.name} are not read; "
            "export the image uncompressed or as JPEG."
        ) from error
    except Exception as error:  # damaged data make the decoders raise almost any type
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ImageError:
    reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
    return ImageError(
        f"{name}: the DICOM pixel data are missing, cut short or damaged ({reason}); fetch the file again."
    )


def _to_8_bits(values: np.ndarray, bits: int) -> np.ndarray:
    return values.astype(np.uint8) if bits == 8 else _scaled(values, 0, 2**bits - 1)


def _grey(values: np.ndarray, header: Dataset, kind: str) -> np.ndarray:
    shown = apply_voi_lut(apply_modality_lut(values, header), header, prefer_lut=True)
    grey = _scaled(shown, *_shown_range(values, header))
    turned = kind == "MONOCHROME1" or header.get("PresentationLUTShape") == "INVERSE"
    return 255 - grey if turned else grey


def _shown_range(values: np.ndarray, header: Dataset) -> tuple[float, float]:
    """What a monitor would show as black and as white: of the look-up table, or of all that the bits can hold."""
    if tables := header.get("VOILUTSequence"):
        return 0.0, 2.0 ** tables[0].LUTDescriptor[2] - 1
    bits, signed = int(header.BitsStored), values.dtype.kind == "i"
    ends = np.array([-(2 ** (bits - 1)) if signed else 0, 2 ** (bits - 1) - 1 if signed else 2**bits - 1])
    low, high = sorted(apply_modality_lut(ends, header).tolist())
    return low, high


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint(np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def _to_srgb(rgb: np.ndarray, header: Dataset) -> np.ndarray:
    profile = _icc_profile(header)
    if profile is None:
        return rgb
    try:
        converted = ImageCms.profileToProfile(
            Image.fromarray(rgb),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.PERCEPTUAL,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):  # good pixels are not refused for a damaged profile
        return rgb
    return np.asarray(converted)


def _icc_profile(header: Dataset) -> bytes | None:
    for place in (header, *(header.get("OpticalPathSequence") or [])):
        if profile := place.get("ICCProfile"):
            return bytes(profile)
    return None
