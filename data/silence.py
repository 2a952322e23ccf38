"""Silence for libraries that announce themselves on standard error, from C or C++."""

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import PIL


@contextmanager
def silent_standard_error() -> Iterator[None]:
    """Keep what C++ writes to standard error away from the reader; Python's exceptions come through."""
    try:
        standard_error = os.dup(2)
    except OSError:  # the process has none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        os.close(nowhere)


@functools.cache
def silence_libtiff() -> None:
    """Let the libtiff that Pillow brings along complain to Pillow alone, and not to standard error, too.

    Where Pillow was built without a libtiff of its own, nothing is done.
    """
    packages = Path(PIL.__file__).parents[1]
    for library in (*packages.glob("pillow.libs/libtiff*"), *packages.glob("PIL/.dylibs/libtiff*")):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(str(library)).TIFFSetErrorHandler(None)
