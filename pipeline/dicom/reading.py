"""DICOM files, folders and DICOMDIR -> photographs, each frame an image."""

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydicom import Dataset, config, dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.uid import (
    UID,
    DermoscopicPhotographyImageStorage,
    MediaStorageDirectoryStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    VLPhotographicImageStorage,
)

from data.datasets.finding import is_image_name
from data.datasets.walking import visible_files
from data.images import ImageError
from pipeline.dicom.pixels import rgb_of
from pipeline.dicom.recognition import is_dicom, is_index
from pipeline.dicom.software import MANUFACTURER
from pipeline.dicom.spacing import Spacing, spacing_of

PHOTOGRAPHS = frozenset(
    {
        DermoscopicPhotographyImageStorage,
        VLPhotographicImageStorage,
        SecondaryCaptureImageStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        MultiFrameTrueColorSecondaryCaptureImageStorage,
    }
)

SUFFIXES = frozenset({".dcm", ".dicom", ".dic", ".ima"})

# The library warns of values that don't fit the standard and quotes them: they may be the patient's.
config.settings.reading_validation_mode = config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class FrameSource:
    """One image of a DICOM file, as an `ImageSource` of `lesion predict`.

    Attributes
    ----------
    path : Path
    number : int, optional
        Of the frame, from 1; None where the file holds one image.
    """

    path: Path
    number: int | None = None

    @property
    def name(self) -> Path:
        """The path; of a frame `<stem>_frame<number>`. A UID as a name gets a suffix, to keep it whole."""
        suffix = self.path.suffix if self.path.suffix.lower() in SUFFIXES else ""
        stem = self.path.name.removesuffix(suffix)
        if self.number is not None:
            stem += f"_frame{self.number}"
        return self.path.with_name(stem + (suffix or (".dcm" if "." in stem else "")))

    def read(self) -> np.ndarray:
        """The pixels, uint8 RGB array (H, W, 3).

        Raises
        ------
        ImageError
            If they can't be read.
        """
        return self.open().pixels

    def open(self) -> "Frame":
        """The image with what the file says about it.

        Raises
        ------
        ImageError
            If it can't be read.
        """
        header = read_header(self.path)
        number = self.number or 1
        pixels = rgb_of(self.path, header, number - 1, str(self.name))
        return Frame(self, pixels, spacing_of(header, number), header)


@dataclass(frozen=True, eq=False)
class Frame:
    """An image out of a DICOM file.

    Attributes
    ----------
    source : FrameSource
    pixels : uint8 RGB array (H, W, 3)
    spacing : Spacing or None
        Of the pixels, in millimetres.
    header : Dataset
        All that the file says but the pixels.
    """

    source: FrameSource
    pixels: np.ndarray
    spacing: Spacing | None
    header: Dataset


def frames_of(path: Path) -> Iterator[tuple[str, np.ndarray, Spacing | None]]:
    """The images of a DICOM file, folder or DICOMDIR: name, uint8 RGB array (H, W, 3), and spacing if it is known.

    Raises
    ------
    ImageError
        At the first file that can't be used.
    """
    for source in frame_sources(path):
        frame = source.open()
        yield str(source.name), frame.pixels, frame.spacing


def frame_sources(path: Path) -> Iterator[FrameSource]:
    """Every frame of a DICOM file, or of the photographs in a folder or DICOMDIR.

    A file that is named is always taken, and says when it is opened what is wrong with it. Of a folder or a DICOMDIR
    only photographs are taken, and not what this software made: a study holds reports and masks, too.
    """
    if path.is_dir():
        for file in visible_files(path):
            if not is_image_name(file) and not is_index(file) and is_photograph(file):
                yield from _frames(file)
    elif _is_medium(path):
        for file in _indexed(path):
            if not file.exists() or is_photograph(file):
                yield from _frames(file)
    else:
        yield from _frames(path)


def read_header(path: Path) -> Dataset:
    """All that a DICOM photograph says but its pixels.

    Raises
    ------
    ImageError
        If the file can't be read, is no DICOM file, or one that holds no photograph.
    """
    return checked(read_dataset(path), path)


def checked(header: Dataset, name: Path) -> Dataset:
    """The header itself, if it is that of a photograph which results can refer to.

    Raises
    ------
    ImageError
        If not.
    """
    kind = UID(str(header.get("SOPClassUID", "")))
    if kind not in PHOTOGRAPHS:
        raise ImageError(
            f"{name}: is {_article(kind.name)} and no photograph; give dermoscopic, VL photographic "
            "or secondary capture images."
        )
    for needed in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not header.get(needed):
            raise ImageError(
                f"{name}: has no {needed}, so no result could refer to it; fetch the file again."
            )
    return header


def read_dataset(path: Path, with_pixels: bool = False) -> Dataset:
    """A DICOM file of any kind; without its pixels unless they are asked for.

    Raises
    ------
    ImageError
        If the file can't be read, or is no DICOM file.
    """
    if not path.exists():
        raise ImageError(f"{path}: no such file; check the path.")
    if path.is_file() and not is_dicom(path):
        raise ImageError(
            f"{path}: is no DICOM file, the mark DICM is missing behind the preamble; fetch the file again."
        )
    return parsed(path, path, with_pixels)


def parsed(file: Path | BinaryIO, name: Path, with_pixels: bool) -> Dataset:
    """What a DICOM file says, all its values decoded.

    Raises
    ------
    ImageError
        If it is damaged; `name` is what the message calls the file.
    """
    try:
        dataset = dcmread(file, stop_before_pixels=not with_pixels)
        # Values are parsed when they are asked for: what is damaged is to show here.
        dataset.decode()
        _ = dataset.file_meta.TransferSyntaxUID.name
    except Exception as error:  # a damaged file makes the library raise almost any type
        raise ImageError(
            f"{name}: the DICOM header is cut short or damaged; fetch the file again."
        ) from error
    return dataset


def is_photograph(path: Path) -> bool:
    """Whether a file is DICOM and holds a photograph that a camera took; False where it can't be told."""
    if not is_dicom(path):
        return False
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID", "Manufacturer"])
    except Exception:  # what it is shows when it is named
        return False
    return header.get("SOPClassUID") in PHOTOGRAPHS and header.get("Manufacturer") != MANUFACTURER


def _frames(path: Path) -> Iterator[FrameSource]:
    count = _frame_count(path)
    if count == 1:
        yield FrameSource(path)
    else:
        yield from (FrameSource(path, number) for number in range(1, count + 1))


def _frame_count(path: Path) -> int:
    """How many frames there are; 1 where that can't be told or the file is too small for it."""
    try:
        count = int(dcmread(path, specific_tags=["NumberOfFrames"], stop_before_pixels=True).NumberOfFrames)
        return count if 1 <= count <= path.stat().st_size else 1
    except Exception:  # opening the image says what is wrong
        return 1


def _is_medium(path: Path) -> bool:
    try:
        return read_file_meta_info(path).MediaStorageSOPClassUID == MediaStorageDirectoryStorage
    except Exception:  # opening the image says what is wrong
        return False


def _indexed(index: Path) -> Iterator[Path]:
    """The files that a DICOMDIR names and that lie beside or under it."""
    folder = index.parent.resolve()
    for record in dcmread(index).get("DirectoryRecordSequence") or []:
        name = record.get("ReferencedFileID")
        if not name:
            continue
        parts = [name] if isinstance(name, str) else list(name)
        file = folder.joinpath(*parts)
        if file.resolve().is_relative_to(folder):
            yield index.parent.joinpath(*parts)


def _article(kind: str) -> str:
    return f"{'an' if kind[:1] in 'AEIOU' else 'a'} {kind or 'object of no kind'}"
