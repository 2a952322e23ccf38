"""The files under a folder in sorted order, however many, without a list of them in memory."""

import heapq
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO

# Names of one folder that are sorted in memory, about 10 MB; those of a larger one are sorted in pieces on the disk.
MOST_NAMES = 100_000


def visible_files(folder: str | Path, closed: Callable[[Path], None] = lambda _: None) -> Iterator[Path]:
    """All files under a folder in sorted order, without hidden ones (`.name`, `._name`) and `__MACOSX`.

    Linked folders are followed, each folder once. What is remembered is the folders, and of one folder's files as many
    as `MOST_NAMES`.

    Parameters
    ----------
    folder : str or Path
    closed : function of a path
        Called with each folder that can't be listed, as it is gone or closed to this user.
    """
    seen: set[str] = set()
    waiting = [os.fspath(folder)]
    while waiting:
        parent = waiting.pop()
        real = os.path.realpath(parent)
        if real in seen:
            continue
        seen.add(real)
        folders: list[str] = []
        for name in _sorted_names(_file_names(parent, folders, closed)):
            yield Path(parent, name)
        waiting.extend(os.path.join(parent, name) for name in sorted(folders, reverse=True))  # noqa: PTH118


def _file_names(parent: str, folders: list[str], closed: Callable[[Path], None]) -> Iterator[str]:
    """Names of a folder's visible files in no order; the names of folders in it are added to `folders`."""
    try:
        entries = os.scandir(parent)
    except OSError:
        closed(Path(parent))
        return
    with entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                yield entry.name
            elif entry.name != "__MACOSX":
                folders.append(entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def _sorted_names(names: Iterator[str]) -> Iterator[str]:
    first = sorted(islice(names, MOST_NAMES))
    if len(first) < MOST_NAMES:
        yield from first
        return
    import tempfile  # noqa: PLC0415 - a prediction of few images need not wait for it

    with ExitStack() as stack:
        pieces = [iter(first)]
        while piece := sorted(islice(names, MOST_NAMES)):
            file = stack.enter_context(tempfile.TemporaryFile())
            file.writelines(name.encode("unicode_escape") + b"\n" for name in piece)
            file.seek(0)
            pieces.append(_lines(file))
        yield from heapq.merge(*pieces)


def _lines(file: BinaryIO) -> Iterator[str]:
    return (line[:-1].decode("unicode_escape") for line in file)
