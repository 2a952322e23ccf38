"""What is a DICOM file, told by its content and without a DICOM library."""

from collections.abc import Iterator
from pathlib import Path

from data.datasets.finding import is_image_name, visible_files

_PREAMBLE = 128
_MARK = b"DICM"
INDEX_NAME = "DICOMDIR"


def is_dicom(path: Path) -> bool:
    """Whether a file begins as PS3.10 says: 128 bytes of anything, then `DICM`. False for what can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE + len(_MARK))[_PREAMBLE:] == _MARK
    except OSError:
        return False


def is_index(path: Path) -> bool:
    """Whether a file is called as the index of a DICOM medium is."""
    return path.name.upper() == INDEX_NAME


def dicom_files(folder: Path) -> Iterator[Path]:
    """The DICOM files under a folder, in sorted order, with any suffix or none, without hidden ones and indexes.

    Files with the suffix of a photograph are not opened: in a folder of photographs nothing is read.
    """
    for path in visible_files(folder):
        if not is_image_name(path) and not is_index(path) and is_dicom(path):
            yield path
