"""What a TIFF file's strips or tiles tell of damage that libtiff passes over."""

import lzma
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from PIL import ExifTags

from data.image_damage import DamageError
from data.jpeg import check_jpeg_data

if TYPE_CHECKING:  # a prediction of a JPEG need not wait for it
    from PIL.TiffImagePlugin import TiffImageFile

_DEFLATE = (8, 32946)
_JPEG, _LZMA = 7, 34925
_JPEG_TABLES = 347
_INFLATED_AT_ONCE = 1 << 20
_LZMA_MEMORY = 1 << 28


def check_tiff(content: bytes, tiff: "TiffImageFile") -> None:
    """Check each strip or tile as far as its compression allows.

    Deflated and LZMA ones have a checksum. Of JPEG ones the decoder complains, which libtiff keeps to itself.
    """
    compression = tiff.tag_v2.get(ExifTags.Base.Compression)
    if compression in _DEFLATE:
        for part in _parts(content, tiff):
            _check_deflated(part)
    elif compression == _LZMA:
        for part in _parts(content, tiff):
            _check_lzma(part)
    elif compression == _JPEG:
        tables = tiff.tag_v2.get(_JPEG_TABLES, b"")
        for part in _parts(content, tiff):
            check_jpeg_data(tables[:-2] + part[2:] if tables else part)


def _parts(content: bytes, tiff: "TiffImageFile") -> Iterator[bytes]:
    tiled = ExifTags.Base.TileOffsets in tiff.tag_v2
    offsets = tiff.tag_v2[ExifTags.Base.TileOffsets if tiled else ExifTags.Base.StripOffsets]
    counts = tiff.tag_v2[ExifTags.Base.TileByteCounts if tiled else ExifTags.Base.StripByteCounts]
    for offset, count in zip(offsets, counts, strict=True):
        yield content[offset : offset + count]


def _check_deflated(strip: bytes) -> None:
    stream = zlib.decompressobj()
    try:
        while strip and not stream.eof:
            stream.decompress(strip, _INFLATED_AT_ONCE)
            strip = stream.unconsumed_tail
    except zlib.error as error:
        raise DamageError(f"a strip's {str(error).rpartition(': ')[2]}") from None
    if not stream.eof:
        raise DamageError("a strip is cut short")


def _check_lzma(strip: bytes) -> None:
    stream = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
    try:
        stream.decompress(strip, _INFLATED_AT_ONCE)
        while not stream.eof and not stream.needs_input:
            stream.decompress(b"", _INFLATED_AT_ONCE)
    except lzma.LZMAError as error:
        raise DamageError(f"a strip: {error}") from None
    if not stream.eof:
        raise DamageError("a strip is cut short")
