"""DICOM files that lie in memory -> pictures for the page, without the patient."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from data.images import ImageError
from pipeline.dicom.pixels import rgb_of
from pipeline.dicom.reading import checked, parsed
from pipeline.dicom.spacing import spacing_of, squared

# Of one file: a page is for looking at images one by one.
MOST_FRAMES = 100
LEAST_COMPRESSION = 1


@dataclass(frozen=True)
class Upload:
    """A frame as a PNG file, which holds its pixels and nothing else.

    Attributes
    ----------
    name : str
    content : bytes
        With square pixels, so that one scale holds for both directions.
    millimetres_per_pixel : float or None
    """

    name: str
    content: bytes = field(repr=False)
    millimetres_per_pixel: float | None


def pngs_of_dicom(content: bytes, name: str) -> Iterator[Upload]:
    """The frames of a DICOM photograph, one after the other.

    Raises
    ------
    ImageError
        If the file is damaged, or holds no photograph.
    """
    dataset = checked(parsed(io.BytesIO(content), Path(name), with_pixels=True), Path(name))
    frames = dataset.get("NumberOfFrames") or 1
    if not isinstance(frames, int) or not 1 <= frames <= MOST_FRAMES:
        raise ImageError(
            f"{name}: says it has {frames} frames; the page takes {MOST_FRAMES}, `lesion predict` any number."
        )
    for number in range(1, frames + 1):
        called = name if frames == 1 else f"{name} frame {number}"
        pixels = rgb_of(dataset, dataset, number - 1, called)
        spacing, scale = spacing_of(dataset, number), None
        if spacing:
            pixels, _, scale = squared(pixels, np.zeros(pixels.shape[:2], bool), spacing)
        yield Upload(called, _png(pixels), scale)


def _png(pixels: np.ndarray) -> bytes:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, LEAST_COMPRESSION])
    return encoded.tobytes()
