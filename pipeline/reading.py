"""Images read in threads, a few ahead of the one that is wanted."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from data.images import MIN_SIDE, ImageError, read_image

Source = str | Path | bytes | np.ndarray
AnySource = TypeVar("AnySource", bound=Source)


def read_ahead(
    sources: Iterable[AnySource], readers: int = 2, ahead: int = 4
) -> Iterator[tuple[AnySource, np.ndarray | ImageError]]:
    """Read images in the background and yield them in their order.

    Parameters
    ----------
    sources : iterable of paths, bytes or arrays
        Taken one by one as the reading goes on; arrays are passed through after a check.
    readers : int
        Number of threads that read.
    ahead : int
        The most images that are read, or being read, beyond the one last yielded.

    Yields
    ------
    (source, uint8 RGB array (H, W, 3)), or (source, ImageError) for an image that can't be used.
    """
    remaining = iter(sources)
    pending: deque[tuple[AnySource, Future[np.ndarray | ImageError]]] = deque()
    with ThreadPoolExecutor(readers, thread_name_prefix="read") as pool:
        try:
            pending.extend((source, pool.submit(_read, source)) for source in islice(remaining, ahead))
            while pending:
                source, future = pending.popleft()
                pixels = future.result()
                pending.extend((source, pool.submit(_read, source)) for source in islice(remaining, 1))
                yield source, pixels
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def as_pixels(source: Source) -> np.ndarray:
    """RGB pixels, uint8 (H, W, 3), of a path, an image file's content, or an array of that form.

    Raises
    ------
    ImageError
        If the file can't be read, or the array is no RGB image of 8 bits a channel.
    """
    return _check(source) if isinstance(source, np.ndarray) else read_image(source)


def _read(source: Source) -> np.ndarray | ImageError:
    try:
        return as_pixels(source)
    except ImageError as error:
        return error


def _check(array: np.ndarray) -> np.ndarray:
    if array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(f"array: has shape {array.shape} and not (height, width, 3); {_mend(array)}.")
    if array.dtype != np.uint8:
        raise ImageError(f"array: holds {array.dtype}; scale the values to 0..255 and convert them to uint8.")
    if min(array.shape[:2]) < MIN_SIDE:
        height, width, _ = array.shape
        raise ImageError(
            f"array: {width} x {height} pixels are too few; each side needs at least {MIN_SIDE}."
        )
    return np.ascontiguousarray(array)


def _mend(array: np.ndarray) -> str:
    if array.ndim == 2:
        return "repeat a grey image's values for the three channels"
    if array.ndim == 4:
        return "give one image at a time"
    if array.ndim == 3 and array.shape[0] == 3:
        return "move the channels to the last axis"
    if array.ndim == 3 and array.shape[2] == 4:
        return "leave out the alpha channel"
    return "give RGB pixels"
