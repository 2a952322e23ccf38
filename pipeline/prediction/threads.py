"""Work on many items in a few threads, with the results in the items' order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

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
