"""Memory that is free and that the C library keeps for later, given back to the system."""

import ctypes
import functools
from collections.abc import Callable


def give_back_memory() -> None:
    """Give back what is free; where the C library is not glibc, which alone keeps so much of it, nothing is done."""
    _trim()(0)


@functools.cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda _: None
