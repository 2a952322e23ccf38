"""Which images are done, in little memory."""

import hashlib
from collections.abc import Iterable

import numpy as np

_DIGEST_BYTES = 16


class DoneImages:
    """A set of images' names that takes 16 bytes a name, for 10 million of them 160 MB.

    Two of 10 million names have the same 128 bits with a probability of 1.5e-25.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        digests = bytearray()
        for name in names:
            digests += _digest(name)
        self._sorted = np.frombuffer(digests, dtype=f"S{_DIGEST_BYTES}").copy()
        self._sorted.sort()

    def __len__(self) -> int:
        return len(self._sorted)

    def __contains__(self, name: str) -> bool:
        digest = np.bytes_(_digest(name))
        place = int(np.searchsorted(self._sorted, digest))
        return place < len(self._sorted) and bool(self._sorted[place] == digest.rstrip(b"\0"))


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=_DIGEST_BYTES).digest()
