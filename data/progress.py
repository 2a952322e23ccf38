"""The progress bar of long work: on standard error, and only where somebody watches."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

# Called after a step, with the number of steps that are done and of all steps; None where nobody knows that.
Progress = Callable[[int, int | None], object]


def unwatched(done: int, total: int | None) -> None:
    """The `Progress` of work that nobody watches."""


@contextmanager
def progress_bar(description: str, beside_output: bool = False) -> Iterator[Progress]:
    """Draw a bar on standard error, where a terminal shows it.

    Parameters
    ----------
    description : str
        What is going on.
    beside_output : bool
        Whether standard output is written to meanwhile; then there is no bar where a terminal shows that, too.
    """
    if not sys.stderr.isatty() or (beside_output and sys.stdout.isatty()):
        yield unwatched
        return
    from rich.console import Console  # noqa: PLC0415 - not at the start of every command
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def tracked(items: Sequence[Item], description: str) -> Iterator[Item]:
    """Yield the items and show how far they are."""
    with progress_bar(description) as progress:
        for done, item in enumerate(items, start=1):
            yield item
            progress(done, len(items))
