"""What an image file's own checksums, lengths and markers tell of damage, without decoding a pixel.

Decoders pass over much of it: Pillow checks no checksum of a PNG's pixels, and libtiff none of a deflated strip.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from PIL import ExifTags
from PIL.ImageFile import ImageFile

if TYPE_CHECKING:  # a prediction of a JPEG need not wait for it
    from PIL.TiffImagePlugin import TiffImageFile

# Writers make 10 scans or so; each costs a pass over all pixels, however few bytes it holds.
MOST_SCANS = 64
MOST_SEGMENTS = 20_000
MOST_CHUNKS = 200_000
MOST_FILL_BYTES = 65_536
MOST_RUN_LENGTH_BYTES = 8_000_000

_DEFLATE = (8, 32946)
_PNG_PIXELS = (b"IDAT", b"fdAT")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_MARKERS_ALONE = {0x01, *range(0xD0, 0xD9)}
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # no restart, and no escaped 0xff


class DamageError(Exception):
    """A file that can't be whole, or that is built to take long; the message is the reason, without the file's name."""


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int


def check_jpeg(content: bytes) -> None:
    """Bound the segments and scans of a JPEG file; the decoder itself tells of damage in them."""
    position, segments, scans = 2, 0, 0
    while (position := _next_marker(content, position)) >= 0:
        marker = content[position + 1]
        if marker == _END_OF_IMAGE:
            return
        position += 2
        if marker in _MARKERS_ALONE:
            continue
        position += int.from_bytes(content[position : position + 2])
        segments, scans = segments + 1, scans + (marker == _START_OF_SCAN)
        if scans > MOST_SCANS or segments > MOST_SEGMENTS:
            raise DamageError(
                f"more than {MOST_SCANS} scans or {MOST_SEGMENTS} segments, as no camera writes"
            )
        if marker == _START_OF_SCAN:
            found = _MARKER.search(content, position)
            position = found.start() if found else len(content)


def _next_marker(content: bytes, position: int) -> int:
    """Where the next marker's last fill byte lies; -1 where the content ends before it."""
    limit = position + MOST_FILL_BYTES
    found = _MARKER.search(content, position, limit)
    if found is None and len(content) > limit:
        raise DamageError("no marker where one must be")
    return found.start() if found else -1


def check_png(content: bytes) -> None:
    """Check that a PNG file has all its chunks, each with the checksum that it names."""
    view = memoryview(content)
    chunk = None
    for chunk in _png_chunks(content):
        if zlib.crc32(view[chunk.start - 4 : chunk.end]) != int.from_bytes(view[chunk.end : chunk.end + 4]):
            raise DamageError(f"the checksum of its part {_text(chunk.kind)} does not fit")
    if chunk is None or chunk.kind != b"IEND":
        raise DamageError("its end is missing")


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
    """Check that a WebP file is as long as it says."""
    if 8 + int.from_bytes(content[4:8], "little") > len(content):
        raise DamageError("it is shorter than it says")


def check_bmp(content: bytes, bmp: ImageFile) -> None:
    """Bound a run-length coded BMP file, which Pillow decodes byte by byte in Python."""
    if len(content) > MOST_RUN_LENGTH_BYTES and any(tile[0] == "bmp_rle" for tile in bmp.tile):
        raise DamageError(f"run-length coded and over {MOST_RUN_LENGTH_BYTES // 1_000_000} MB")


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


def check_tiff(content: bytes, tiff: "TiffImageFile") -> None:
    """Check the checksum of each of a TIFF file's deflated strips or tiles; other compressions have none."""
    if tiff.tag_v2.get(ExifTags.Base.Compression) not in _DEFLATE:
        return
    tiled = ExifTags.Base.TileOffsets in tiff.tag_v2
    offsets = tiff.tag_v2[ExifTags.Base.TileOffsets if tiled else ExifTags.Base.StripOffsets]
    counts = tiff.tag_v2[ExifTags.Base.TileByteCounts if tiled else ExifTags.Base.StripByteCounts]
    for offset, count in zip(offsets, counts, strict=True):
        _check_deflated(content[offset : offset + count])


def _check_deflated(strip: bytes) -> None:
    stream = zlib.decompressobj()
    try:
        while strip and not stream.eof:
            stream.decompress(strip, 1 << 20)
            strip = stream.unconsumed_tail
    except zlib.error as error:
        raise DamageError(f"a strip's {str(error).rpartition(': ')[2]}") from None
    if not stream.eof:
        raise DamageError("a strip is cut short")


def _text(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")
