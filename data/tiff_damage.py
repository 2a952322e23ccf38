"""What a TIFF file's strips or tiles tell of damage that libtiff passes over."""

import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PIL import ExifTags

from data.image_damage import DamageError
from data.jpeg import check_jpeg_data
from data.tiff_lzw import check_lzw

if TYPE_CHECKING:  # a prediction of a JPEG need not wait for it
    from PIL.TiffImagePlugin import TiffImageFile

_DEFLATE = (8, 32946)
_LZW, _JPEG, _LZMA = 5, 7, 34925
_YCBCR, _SEPARATE_PLANES, _BITS_REVERSED = 6, 2, 2
_JPEG_TABLES = 347
_INFLATED_AT_ONCE = 1 << 20
_LZMA_MEMORY = 1 << 28


def check_tiff(content: bytes, tiff: "TiffImageFile") -> None:
    """Check each strip or tile as far as its compression allows.

    Deflated and LZMA ones have a checksum. Of JPEG ones the decoder complains, which libtiff keeps to itself. LZW ones
    must make as many bytes as they have room for.
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
    elif compression == _LZW and (sizes := _part_sizes(tiff)):
        for number, part in enumerate(_parts(content, tiff)):
            check_lzw(part, sizes(number))


def _parts(content: bytes, tiff: "TiffImageFile") -> Iterator[bytes]:
    tiled = ExifTags.Base.TileOffsets in tiff.tag_v2
    offsets = tiff.tag_v2[ExifTags.Base.TileOffsets if tiled else ExifTags.Base.StripOffsets]
    counts = tiff.tag_v2[ExifTags.Base.TileByteCounts if tiled else ExifTags.Base.StripByteCounts]
    left = len(content)
    for offset, count in zip(offsets, counts, strict=True):
        part = content[offset : offset + count]
        left -= len(part)
        if left < 0:  # a small file could else keep a reader busy for hours
            raise DamageError("its strips are longer than the file")
        yield part


def _part_sizes(tiff: "TiffImageFile") -> Callable[[int], tuple[int, ...]] | None:
    """Number of a strip or tile -> the bytes that it may hold; None where it takes more to tell.

    The last strip ends with the image, or is filled up.
    """
    tags, (width, height) = (
        tiff.tag_v2,
        (tiff.tag_v2[tag] for tag in (ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength)),
    )
    if (
        tags.get(ExifTags.Base.PhotometricInterpretation) == _YCBCR
        or tags.get(ExifTags.Base.FillOrder) == _BITS_REVERSED
    ):
        return None
    bits = tags.get(ExifTags.Base.BitsPerSample, (1,))
    pixel = bits[0] if tags.get(ExifTags.Base.PlanarConfiguration) == _SEPARATE_PLANES else sum(bits)
    if ExifTags.Base.TileOffsets in tags:
        whole = tags[ExifTags.Base.TileLength] * -(-tags[ExifTags.Base.TileWidth] * pixel // 8)
        return lambda _: (whole,)
    rows, row = min(height, tags.get(ExifTags.Base.RowsPerStrip, height)), -(-width * pixel // 8)
    strips = -(-height // rows)
    last = height - (strips - 1) * rows
    return lambda number: (rows * row,) if (number + 1) % strips else (last * row, rows * row)


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
