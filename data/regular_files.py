"""Reading files that a user named, whatever is at their paths."""

import errno
import os
import stat
from pathlib import Path


class UnfitFileError(OSError):
    """What is at a path is no regular file, or a larger one than is read; the message says which."""


def read_regular_file(path: str | Path, most_bytes: int, first: int | None = None) -> bytes:
    """All bytes of a regular file, or with `first` only so many.

    Pipes, sockets and devices are refused, because reading them may wait for ever or never end.

    Raises
    ------
    UnfitFileError
        If it is no regular file, or holds more than `most_bytes`.
    OSError
        If it can't be opened and read.
    """
    # Without O_NONBLOCK, opening a pipe waits for its writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise UnfitFileError(errno.EINVAL, "is a pipe, a socket or a device and no regular file")
        if first is None and status.st_size > most_bytes:
            size = f"{status.st_size / 1e6:.0f} MB are more than the {most_bytes / 1e6:.0f} MB that are read"
            raise UnfitFileError(errno.EFBIG, size)
        return file.read(most_bytes if first is None else first)
