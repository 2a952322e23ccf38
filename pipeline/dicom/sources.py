"""DICOM among the images of `lesion predict`; its libraries are loaded when the first DICOM file comes."""

# ruff: noqa: PLC0415 - photographs of other kinds do not wait for the libraries of DICOM

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.datasets.finding import is_foreign_picture, is_image_name
from data.images import ImageError
from pipeline.dicom.recognition import is_dicom, is_index
from pipeline.prediction import sources as photographs
from pipeline.prediction.reading import Source
from pipeline.prediction.sources import FileKinds, ImageSource

LIBRARIES = frozenset({"pydicom", "highdicom"})


def is_dicom_photograph(path: Path) -> bool:
    """Whether a file in a folder is a DICOM photograph; a study holds reports and masks, too."""
    if not is_dicom(path) or is_index(path):
        return False
    try:
        from pipeline.dicom.reading import is_photograph
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        return True  # reading it says what is missing
    return is_photograph(path)


def sources_of(path: Path) -> Iterator[ImageSource]:
    """The images that one file holds: frames of a DICOM file, those of all files that a DICOMDIR names, or itself."""
    if not is_dicom(path):
        yield from photographs.sources_of(path)
        return
    try:
        from pipeline.dicom.reading import frame_sources
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        yield Unreadable(path)
        return
    yield from frame_sources(path)


def is_image(path: Path) -> bool:
    """Whether a file in a folder is a picture by its name, if only to say that its format is not read, or DICOM."""
    return is_image_name(path) or is_foreign_picture(path) or is_dicom_photograph(path)


# What `lesion predict` takes.
ALL_KINDS = FileKinds(is_image, sources_of)


@dataclass(frozen=True)
class Unreadable:
    """A DICOM file where the libraries of DICOM are not installed."""

    name: Path

    def read(self) -> Source:
        """Say what is missing.

        Raises
        ------
        ImageError
            Always.
        """
        raise ImageError(
            f"{self.name}: is a DICOM file, and what reads them is not installed; run in the folder of the software: "
            "pip install -c constraints.txt '.[dicom]'"
        )
