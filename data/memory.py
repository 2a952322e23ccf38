"""Memory that is free and that the C library keeps for later, given back to the system."""

import ctypes
import functools
from collections.abc import Callable
from contextlib import suppress

OWN_BLOCK_BYTES = 2**20  # from here on a block is asked of the system by itself; smaller ones would cost time
KEPT_BYTES = 2**26  # that an arena may keep at its end, so that not every prediction asks for it anew
MOST_ARENAS = 2
# The names of the options in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def give_back_memory() -> None:
    """Give back what is free; where the C library is not glibc, which alone keeps so much of it, nothing is done."""
    _trim()(0)


def keep_little_memory() -> None:
    """Let the C library, where it is glibc, keep little of what is freed from here on.

    Blocks of the size of a picture then go back at once, and threads share few arenas, so that what is small and stays
    does not lie between what was large and is gone. The rest goes back by `give_back_memory`.
    """
    with suppress(OSError, AttributeError, TypeError):
        option = ctypes.CDLL(None).mallopt
        option(_MMAP_THRESHOLD, OWN_BLOCK_BYTES)
        option(_TRIM_THRESHOLD, KEPT_BYTES)
        option(_ARENA_MAX, MOST_ARENAS)


@functools.cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda _: None
