"""Whether a TIFF file's LZW codes make as many bytes as its strip or tile must have.

LZW has no checksum, and libtiff stops where a strip is full. But each code stands for a string whose length follows
from the codes before it, so that most damage changes the sum of the lengths.
"""

import numpy as np
from numpy.typing import NDArray

from data.image_damage import DamageError

_CLEAR, _END, _FIRST = 256, 257, 258
# Codes after a clear code, each of which but the first makes an entry of the table; entries have 12 bits at most.
_MOST_CODES = 4096 - _FIRST + 2
# A code has one bit more from the entry before the last that the bits before it can name (TIFF 6.0, section 13).
_WIDTHS = 9 + np.searchsorted([254, 766, 1790], np.arange(_MOST_CODES), side="right")
_STARTS = np.concatenate([[0], np.cumsum(_WIDTHS)])


def check_lzw(strip: bytes, sizes: tuple[int, ...]) -> None:
    """Raise DamageError where the codes are impossible, or stand for another number of bytes than one of `sizes`."""
    if strip[:1] == b"\0" and strip[1:2] and strip[1] & 1:
        return  # the other order of bits, which old files have
    content = np.frombuffer(strip + b"\0\0\0", np.uint8).astype(np.int64)
    place, total, ended = 0, 0, False
    while not ended:
        codes = _codes(content, place, 8 * len(strip))
        stops = np.flatnonzero((codes == _CLEAR) | (codes == _END))
        if not len(stops) and len(codes) == _MOST_CODES:
            raise DamageError("a strip's codes overflow their table")
        stop = int(stops[0]) if len(stops) else len(codes)
        total += _decoded_bytes(codes[:stop])
        ended = not len(stops) or codes[stop] == _END
        place += int(_STARTS[min(stop + 1, _MOST_CODES)])
    too_many = (
        len(stops) and total not in sizes
    )  # without an end code, bits that fill the last bytes may look like one
    if too_many or total < min(sizes):
        raise DamageError(f"a strip's codes stand for {total} bytes and not {min(sizes)}")


def _codes(content: NDArray[np.int64], place: int, end: int) -> NDArray[np.int64]:
    """The codes from a bit on as if no clear code came, as many as end before bit `end` and fit the table."""
    count = int(np.searchsorted(_STARTS[1:], end - place, side="right"))
    starts, widths = place + _STARTS[:count], _WIDTHS[:count]
    first = starts >> 3
    bits = content[first] << 16 | content[first + 1] << 8 | content[first + 2]
    codes: NDArray[np.int64] = bits >> (24 - (starts & 7) - widths) & ((1 << widths) - 1)
    return codes


def _decoded_bytes(codes: NDArray[np.int64]) -> int:
    """How many bytes the codes between two clear codes stand for."""
    if (codes >= _FIRST + np.arange(len(codes))).any():
        raise DamageError("a strip has a code that no entry of its table has")
    # An entry is the string of the code that made it, and one byte: so is its length, followed back in doubling steps.
    nothing = len(codes)
    before = np.append(np.where(codes < _CLEAR, nothing, codes - _FIRST), nothing)
    lengths = np.append(np.ones(len(codes), np.int64), 0)
    while (before != nothing).any():
        lengths += lengths[before]
        before = before[before]
    return int(lengths.sum())
