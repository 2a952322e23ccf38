"""What is a DICOM file, told by its content and without a DICOM library."""

from pathlib import Path

_PREAMBLE = 128
_MARK = b"DICM"


def is_dicom(path: Path) -> bool:
    """Whether a file begins as PS3.10 says: 128 bytes of anything, then `DICM`. False for what can't be read."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with path.open("rb") as file:
            return is_dicom_content(file.read(_PREAMBLE + len(_MARK)))
    except OSError:
        return False


def is_dicom_content(content: bytes) -> bool:
    """Whether a file's first bytes are those of a DICOM file."""
    return content[_PREAMBLE : _PREAMBLE + len(_MARK)] == _MARK


def is_index(path: Path) -> bool:
    """Whether a file is called as the index of a DICOM medium is."""
    return path.name.upper() == "DICOMDIR"
