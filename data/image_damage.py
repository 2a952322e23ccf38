"""What an image file's own checksums, lengths and markers tell of damage, without decoding a pixel.

Decoders pass over much of it: Pillow checks no checksum of a PNG's pixels, and takes missing rows as black.
TIFF files are looked at in `data.tiff_damage`.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from PIL.ImageFile import ImageFile

# Writers make 10 scans or so; each costs a pass over all pixels, however few bytes it holds.
MOST_SCANS = 64
MOST_SEGMENTS = 20_000
MOST_CHUNKS = 200_000
MOST_FILL_BYTES = 65_536
MOST_RUN_LENGTH_BYTES = 8_000_000

_PNG_PIXELS = (b"IDAT", b"fdAT")
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column and row, and steps, of the seven passes of an interlaced PNG file.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_INFLATED_AT_ONCE = 1 << 20
_BMP_PADDING = 3
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_COEFFICIENTS = 64
_MARKERS_ALONE = {0x01, *range(0xD0, 0xD9)}
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # no restart, and no escaped 0xff


class DamageError(Exception):
    """A file that can't be whole, or that is built to take long; the message is the reason, without the file's name."""


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int


def check_jpeg(content: bytes) -> None:
    """Bound the segments and scans of a JPEG file, and check that none is missing; the decoder tells of the rest."""
    position, segments, scans = 2, 0, _Scans()
    while (position := _next_marker(content, position)) >= 0:
        marker = content[position + 1]
        if marker == _END_OF_IMAGE:
            scans.check_complete()
            return
        position += 2
        if marker in _MARKERS_ALONE:
            continue
        length = int.from_bytes(content[position : position + 2])
        scans.add(marker, content[position + 2 : position + length])
        position += length
        segments += 1
        if scans.count > MOST_SCANS or segments > MOST_SEGMENTS:
            raise DamageError(
                f"more than {MOST_SCANS} scans or {MOST_SEGMENTS} segments, as no camera writes"
            )
        if marker == _START_OF_SCAN:
            found = _MARKER.search(content, position)
            position = found.start() if found else len(content)


class _Scans:
    """What the scans of a JPEG file bring: a file that ends between two of them is sound to the decoder."""

    def __init__(self) -> None:
        self.count = 0
        self._missing: dict[int, list[int]] = {}  # component -> lowest bits that each coefficient lacks

    def add(self, marker: int, segment: bytes) -> None:
        if marker in _START_OF_FRAME and not self._missing:
            self._missing = {component: [1] * _COEFFICIENTS for component in segment[6::3]}
        elif marker == _START_OF_SCAN:
            self.count += 1
            self._add_scan(segment)

    def check_complete(self) -> None:
        """Raise `DamageError` where a part of a component has not come."""
        if any(map(any, self._missing.values())):
            raise DamageError("a part of its scans is missing")

    def _add_scan(self, segment: bytes) -> None:
        components = segment[1 : 1 + 2 * segment[0] : 2] if segment else b""
        first, last, bits = segment[-3:] if len(segment) > 3 else (0, _COEFFICIENTS - 1, 0)
        for component in components:
            if component in self._missing and first <= last < _COEFFICIENTS:
                self._missing[component][first : last + 1] = [bits & 0x0F] * (last + 1 - first)


def _next_marker(content: bytes, position: int) -> int:
    """Where the next marker's last fill byte lies; -1 where the content ends before it."""
    limit = position + MOST_FILL_BYTES
    found = _MARKER.search(content, position, limit)
    if found is None and len(content) > limit:
        raise DamageError("no marker where one must be")
    return found.start() if found else -1


def check_png(content: bytes) -> None:
    """Check that a PNG file has all its chunks, each with the checksum that it names, and all its pixels."""
    view = memoryview(content)
    chunk, pixels = None, _PngPixels()
    for chunk in _png_chunks(content):
        pixels.add(chunk.kind, view[chunk.start : chunk.end])
        if zlib.crc32(view[chunk.start - 4 : chunk.end]) != int.from_bytes(view[chunk.end : chunk.end + 4]):
            raise DamageError(f"the checksum of its part {_text(chunk.kind)} does not fit")
    if chunk is None or chunk.kind != b"IEND":
        raise DamageError("its end is missing")
    pixels.check_complete()


class _PngPixels:
    """Counts the bytes that a PNG file's pixels inflate to: Pillow takes those that are missing as zeros.

    Of what comes after the last row so much is looked at that the checksum of all is found.
    """

    def __init__(self) -> None:
        self._missing = 0
        self._stream = zlib.decompressobj()

    def add(self, kind: bytes, body: memoryview) -> None:
        if kind == b"IHDR":
            self._missing = _png_bytes(body)
        elif kind == b"IDAT":
            rest: bytes | memoryview = body
            while len(rest) and self._missing > -_INFLATED_AT_ONCE:
                self._missing -= len(self._inflated(rest))
                rest = self._stream.unconsumed_tail

    def check_complete(self) -> None:
        """Raise `DamageError` where rows have not come."""
        if self._missing > 0 or not (self._stream.eof or self._missing <= -_INFLATED_AT_ONCE):
            raise DamageError("a part of its pixels is missing")

    def _inflated(self, body: bytes | memoryview) -> bytes:
        try:
            return self._stream.decompress(body, _INFLATED_AT_ONCE)
        except zlib.error as error:
            raise DamageError(f"its pixels: {str(error).rpartition(': ')[2]}") from None


def _png_bytes(header: memoryview) -> int:
    """How many bytes a PNG file's pixels take before they are deflated, by its header."""
    width, height, depth, colours, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _PNG_CHANNELS[colours]
    total = 0
    for left, top, across, down in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -((left - width) // across), -((top - height) // down)
        total += rows * (1 + -(-columns * bits // 8)) if columns > 0 and rows > 0 else 0
    return total


def png_without_pixels(content: bytes) -> bytes:
    """A PNG file's chunks but those of its pixels, as far as they go: its metadata may come after the pixels."""
    try:
        parts = [
            content[chunk.start - 8 : chunk.end + 4]
            for chunk in _png_chunks(content)
            if chunk.kind not in _PNG_PIXELS
        ]
    except DamageError:
        return content
    return b"".join((content[:8], *parts))


def _png_chunks(content: bytes) -> Iterator[_Chunk]:
    position = 8
    for _ in range(MOST_CHUNKS):
        if position + 12 > len(content):
            return
        length, kind = struct.unpack_from(">I4s", content, position)
        chunk = _Chunk(kind, position + 8, position + 8 + length)
        if chunk.end + 4 > len(content):
            raise DamageError(f"its part {_text(kind)} is cut short")
        yield chunk
        if kind == b"IEND":
            return
        position = chunk.end + 4
    raise DamageError(f"more than {MOST_CHUNKS} parts")


def check_webp(content: bytes) -> None:
    """Check that a WebP file is as long as it says; a byte more may fill it up to an even number."""
    stated = 8 + int.from_bytes(content[4:8], "little")
    if stated > len(content):
        raise DamageError("it is shorter than it says")
    if stated < len(content) - 1:
        raise DamageError("it is longer than it says")


def check_bmp(content: bytes, bmp: ImageFile) -> None:
    """Check an uncompressed BMP file's length, and bound a run-length coded one.

    Pillow decodes the latter byte by byte in Python. The length counts where the header names the one that follows from
    the pixels: some writers name none, or a wrong one.
    """
    if any(tile[0] == "bmp_rle" for tile in bmp.tile):
        if len(content) > MOST_RUN_LENGTH_BYTES:
            raise DamageError(f"run-length coded and over {MOST_RUN_LENGTH_BYTES // 1_000_000} MB")
        return
    stated, bits = int.from_bytes(content[2:6], "little"), int.from_bytes(content[28:30], "little")
    row = -(-bmp.width * bits // 32) * 4
    expected = int.from_bytes(content[10:14], "little") + row * bmp.height
    if expected <= stated <= expected + _BMP_PADDING < len(content) and stated < len(content):
        raise DamageError("it is longer than it says")


def check_palette(image: ImageFile) -> None:
    """Check that the palette of a decoded image holds the colours of all pixels; decoders take others as black."""
    if image.mode != "P" or image.palette is None:
        return
    colours = len(image.palette.palette) // len(image.palette.mode)
    if max(image.tobytes()) >= colours:
        raise DamageError(f"a pixel has a colour beyond the {colours} of the palette")


def webp_size(content: bytes) -> tuple[int, int]:
    """Width and height that a WebP file's header names, which its decoder reserves memory for on opening."""
    kind, body = content[12:16], content[20:30]
    if len(body) < 10:
        raise DamageError("its header is cut short")
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise DamageError(f"its first part is {_text(kind)}")


def _text(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")
