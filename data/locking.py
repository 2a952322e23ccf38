"""One process at a time in a folder that is worked in for hours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class BusyError(Exception):
    """A folder in which another process works; the message names it."""


@contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Hold a folder, which is made, for this process while the block runs; the end of the process frees it, too.

    Where the system or the file system knows no locks, nothing is held.

    Raises
    ------
    BusyError
        If another process holds it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BusyError(
            f"{folder}: another process works in this folder; wait for its end, or give another --output."
        ) from None
    except OSError:  # a network's file system without locks
        pass
    try:
        yield
    finally:
        os.close(descriptor)
