"""A csv file that grows row by row, is whole after any kill, and can be gone on with."""

import csv
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from data.files import replacing
from pipeline.prediction.errors import ResultsError
from pipeline.prediction.outputs import csv_line

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class GrowingTable:
    """A csv file to which whole rows are added, each in one step. Made by `start` or `go_on`.

    A kill between two rows leaves all rows whole. Only the row that is being written at that moment can be cut, where
    it crosses a page of the system's memory; `go_on` removes it.
    """

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path

    @classmethod
    def start(cls, path: Path, columns: Sequence[str]) -> "GrowingTable":
        """Put a new table with a header in the place of an earlier one; its writer keeps the file that it has."""
        with replacing(path) as temporary:
            handle = _open(temporary)
            os.write(handle, csv_line(columns))
            if os.name == "nt":  # where an open file can't be renamed
                os.close(handle)
        if os.name == "nt":
            handle = _open(path)
        _lock(handle)
        return cls(handle, path)

    @classmethod
    def go_on(cls, path: Path, columns: Sequence[str]) -> "GrowingTable":
        """Open a table to add rows to it.

        Raises
        ------
        ResultsError
            If it has other columns, or another process is adding rows to it.
        """
        handle = _open(path)
        if not _lock(handle):
            os.close(handle)
            raise ResultsError(
                f"{path}: another run is writing to it; wait for its end, or give another --output."
            )
        with path.open("rb") as file:
            if file.readline() != csv_line(columns):
                os.close(handle)
                raise ResultsError(
                    f"{path}: has other columns than this run would write; give another --output."
                )
        return cls(handle, path)

    def add(self, cells: Sequence[str]) -> None:
        """Add a row.

        Raises
        ------
        OSError
            If the row can't be written; the table then ends with the row before.
        """
        line = csv_line(cells)
        try:
            written = os.write(self._handle, line)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None
        if written < len(line):
            os.ftruncate(self._handle, os.lseek(self._handle, 0, os.SEEK_CUR) - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def names(self) -> Iterator[str]:
        """The first cells of all whole rows; what follows the last of them is cut off."""
        with self._path.open("rb") as file:
            columns = len(_cells(file.readline()))
            end = file.tell()
            for line in file:
                cells = _cells(line)
                if not line.endswith(b"\n") or len(cells) != columns:
                    break
                end += len(line)
                yield cells[0]
        os.ftruncate(self._handle, end)

    def keep(self, rows: int) -> None:
        """Cut off what follows the first `rows` rows after the header."""
        with self._path.open("rb") as file:
            end = sum(len(line) for line, _ in zip(file, range(rows + 1), strict=False))
        os.ftruncate(self._handle, end)

    def close(self) -> None:
        """Bring all rows to the disk and let go of the file."""
        os.fsync(self._handle)
        os.close(self._handle)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode("utf-8", "surrogateescape").rstrip("\n")]), [])


def _lock(handle: int) -> bool:
    """Whether no other process has locked the file; True where the system or the file system knows no locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
