"""A part of the images, for one of several runs that together predict all of them."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Shard:
    """Part `number` (1 to `count`) of the images.

    An image belongs to the part that its name falls to, whatever other images there are: every image is in exactly one
    part, also where runs see a folder at different moments.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ValueError(
                f"a shard is i/n with i from 1 to n, for example 1/4, and not {self.number}/{self.count}"
            )

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """A shard written as `i/n`.

        Raises
        ------
        ValueError
            If the text has another form.
        """
        number, slash, count = text.partition("/")
        if not (slash and number.isdecimal() and count.isdecimal()):
            raise ValueError(f"a shard is i/n with i from 1 to n, for example 1/4, and not {text}")
        return cls(int(number), int(count))

    @property
    def ending(self) -> str:
        """What the names of the shard's files end in; nothing where the shard is the whole."""
        return "" if self.count == 1 else f"-{self.number}-of-{self.count}"

    def holds(self, name: Path) -> bool:
        """Whether the image of that name is in this part."""
        if self.count == 1:
            return True
        digest = hashlib.blake2b(os.fsencode(name), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1


WHOLE = Shard()
