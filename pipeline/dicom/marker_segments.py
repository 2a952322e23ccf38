"""Comments and EXIF in compressed streams, which may name the patient, the place or the camera's owner."""

import struct

_JPEG_START, _JPEG2000_START = b"\xff\xd8", b"\xff\x4f"
# Scan data follow the start of a scan (JPEG, JPEG-LS) or of a tile part (JPEG 2000).
_DATA_FOLLOW = {0xDA, 0x90}
# APP1 to APP13 and APP15, and comments. APP0 (JFIF) and APP14 (Adobe) tell what the colours mean.
_JPEG_COMMENTS = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
# APP8 of JPEG-LS holds the colour transform (SPIFF); it names nobody.
_KEPT = frozenset({0xE8})
_JPEG2000_COMMENTS = frozenset({0x64})


def without_comments(stream: bytes) -> bytes:
    """A JPEG, JPEG-LS or JPEG 2000 stream without its comments and EXIF; the picture is not encoded again.

    Anything else, RLE among it, is returned as it is: it holds nothing but the picture.
    """
    if stream.startswith(_JPEG_START):
        return _without(stream, _JPEG_COMMENTS - _KEPT)
    if stream.startswith(_JPEG2000_START):
        return _without(stream, _JPEG2000_COMMENTS)
    return stream


def _without(stream: bytes, markers: frozenset[int]) -> bytes:
    kept, place = [stream[:2]], 2
    while place + 4 <= len(stream):
        mark, marker, length = struct.unpack_from(">BBH", stream, place)
        if mark != 0xFF or marker in _DATA_FOLLOW:
            break
        if marker == 0xFF:  # a byte that fills up
            place += 1
            continue
        if marker not in markers:
            kept.append(stream[place : place + 2 + length])
        place += 2 + length
    return b"".join((*kept, stream[place:]))
