"""The progress bar of long work: on standard error, and only where somebody watches."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def tracked(items: Sequence[Item], description: str) -> Iterator[Item]:
    """Yield the items and show how far they are."""
    from rich.console import Console  # noqa: PLC0415 - not at the start of every command
    from rich.progress import track  # noqa: PLC0415

    console = Console(stderr=True)
    yield from track(items, description, console=console, transient=True, disable=not console.is_terminal)
