"""Work on many items in a few threads, with the results in the items' order, and on large images one at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import TypeVar

# In pixels. Predicting takes up to 15 bytes for each.
LARGE_IMAGE = 16_000_000

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
        self._lock = threading.Lock()

    def of(self, size: tuple[int, ...]) -> AbstractContextManager[object]:
        """To be entered with `with` for an image of (height, width): at once, or after the large ones before it."""
        height, width = size
        return self._lock if height * width > LARGE_IMAGE else nullcontext()
