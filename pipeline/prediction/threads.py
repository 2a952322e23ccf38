"""Work on many items in a few threads, with the results in the items' order, and on large images one at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import TypeVar

from data.memory import give_back_memory

# In pixels. Predicting takes up to 15 bytes for each.
LARGE_IMAGE = 16_000_000
LARGE_FILE = 32_000_000  # bytes

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int = 2
) -> Iterator[tuple[Item, Result]]:
    """Do some work on items in several threads and yield the results in the items' order.

    Parameters
    ----------
    work : function of one item
        What it raises is raised here, when the item's turn comes.
    items : iterable
        Taken one by one as the work goes on; it may be a generator.
    workers : int
        Number of threads.
    ahead : int
        The most items that are waiting or done, beyond those that are worked on and the one last yielded.

    Yields
    ------
    (item, its result)
    """
    remaining = iter(items)
    pending: deque[tuple[Item, Future[Result]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="predict") as pool:
        try:
            pending.extend((item, pool.submit(work, item)) for item in islice(remaining, workers + ahead))
            while pending:
                item, future = pending.popleft()
                result = future.result()
                pending.extend((item, pool.submit(work, item)) for item in islice(remaining, 1))
                yield item, result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class Turns:
    """Lets large images be worked on one at a time, so that memory stays bounded whatever comes at once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a large file may hold a large image

    def of_file(self, size: int) -> AbstractContextManager[object]:
        """As `of`, for a file of so many bytes that is to be read whole."""
        return self._alone() if size > LARGE_FILE else nullcontext()

    def of(self, size: tuple[int, ...]) -> AbstractContextManager[object]:
        """To be entered with `with` for an image of (height, width): at once, or after the large ones before it."""
        height, width = size
        return self._alone() if height * width > LARGE_IMAGE else nullcontext()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock:
            yield
            give_back_memory()  # before the next one takes as much in other pieces
