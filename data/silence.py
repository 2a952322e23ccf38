"""Silence for libraries that announce themselves on standard error, from C++ and without a switch for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


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
