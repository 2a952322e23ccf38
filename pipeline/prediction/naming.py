"""Names for the files that are written for each image."""

import hashlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

# In bytes, of the 255 that file systems allow: the longest ending, and a temporary file's, come on top.
LONGEST_NAME = 200


class FileNames:
    """Gives each image a name of its own, for the files that are written for it.

    The names follow from the images and their order alone. What is remembered is every name, about 100 bytes an image.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def choose(self, source: Path) -> str:
        """The stem (`1`); where that is taken, with the folders above it (`b_1`), and then with a number.

        A name of more than `LONGEST_NAME` bytes is cut, and ends in a part of the SHA-256 of the whole.
        """
        name = next(name for name in _names(source) if name.casefold() not in self._taken)
        self._taken.add(name.casefold())  # some file systems do not tell upper from lower case
        return name


def _names(source: Path) -> Iterator[str]:
    folders = [part for part in source.parent.parts if part not in {source.anchor, ".", ".."}]
    for depth in range(len(folders) + 1):
        yield _cut("_".join((*folders[len(folders) - depth :], source.stem)))
    yield from (_cut(f"{source.stem}_{number}") for number in count(2))


def _cut(name: str) -> str:
    content = os.fsencode(name)
    if len(content) <= LONGEST_NAME:
        return name
    ending = "-" + hashlib.sha256(content).hexdigest()[:16]
    return content[: LONGEST_NAME - len(ending)].decode("utf-8", "ignore") + ending
