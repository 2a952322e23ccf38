"""OpenCV in one thread for the length of a block: its number of threads counts for the whole process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_LOCK = threading.Lock()
_users: list[int] = []  # the number of threads before, once for each block that is being run


@contextmanager
def opencv_in_one_thread() -> Iterator[None]:
    """Let OpenCV work in its callers' threads alone meanwhile, because the cores are busy with others' work.

    Blocks may overlap in several threads; the last one to end restores the number of threads that there was.
    """
    with _LOCK:
        _users.append(_users[0] if _users else cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _LOCK:
            before = _users.pop()
            if not _users:
                cv2.setNumThreads(before)
