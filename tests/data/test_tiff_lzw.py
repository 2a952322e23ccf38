"""LZW strips must make the bytes that their rows take; sound files of every kind do."""

import io
import struct
from itertools import product

import cv2
import numpy as np
import pytest
from PIL import Image

from data.image_damage import DamageError
from data.images import ImageError, read_image
from data.tiff_lzw import check_lzw

CLEAR, END = 256, 257
NOISE = np.random.default_rng(0).integers(0, 256, (90, 401, 3), np.uint8)
DISC = cv2.circle(np.full_like(NOISE, 220), (200, 45), 30, (90, 60, 50), cv2.FILLED)


def packed(*codes: int) -> bytes:
    """Codes as LZW writes them: 9 bits each, and one more from 254, 766 and 1790 codes after a clear code on."""
    bits, since = "", 0
    for code in codes:
        bits += f"{code:0{9 + sum(since >= step for step in (254, 766, 1790))}b}"
        since = 0 if code == CLEAR else since + 1
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))


def saved(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF", compression="tiff_lzw", **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("codes", "size"),
    [
        ((CLEAR, 1, 2, 258, END), 4),
        ((CLEAR, 1, 258, 259, END), 6),  # each code is the entry that it makes itself
        ((CLEAR, 1, 258, CLEAR, 7, 258, 258, END), 8),
        ((CLEAR, 1, 2, 258), 4),  # some writers leave the end out
        ((CLEAR, *[7] * 3000, END), 3000),
    ],
)
def test_codes_stand_for_so_many_bytes(codes: tuple[int, ...], size: int) -> None:
    check_lzw(packed(*codes), (size,))
    with pytest.raises(DamageError, match=f"stand for {size} bytes and not {size + 1}"):
        check_lzw(packed(*codes), (size + 1,))


def test_bytes_too_many_are_damage_where_the_end_is_marked() -> None:
    with pytest.raises(DamageError, match="stand for 4 bytes and not 3"):
        check_lzw(packed(CLEAR, 1, 2, 258, END), (3,))


def test_the_last_strip_may_be_filled_up() -> None:
    check_lzw(packed(CLEAR, 1, 2, 258, END), (3, 4))


@pytest.mark.parametrize("codes", [(CLEAR, 258, END), (CLEAR, 1, 2, 260, END)])
def test_a_code_before_its_entry_is_damage(codes: tuple[int, ...]) -> None:
    with pytest.raises(DamageError, match="no entry of its table"):
        check_lzw(packed(*codes), (3,))


def test_a_table_without_end_is_damage() -> None:
    with pytest.raises(DamageError, match="overflow"):
        check_lzw(packed(CLEAR, *[7] * 5000, END), (5000,))


@pytest.mark.parametrize("picture", [NOISE, DISC])
@pytest.mark.parametrize(
    ("mode", "predictor"), [("1", 1), *product(["L", "P", "RGB", "RGBA", "LA", "CMYK"], [1, 2])]
)
@pytest.mark.parametrize("rows", [None, 7])
def test_what_pillow_writes_is_read(picture: np.ndarray, mode: str, predictor: int, rows: int | None) -> None:
    converted = Image.fromarray(picture).convert(mode)
    tags = {317: predictor} | ({278: rows} if rows else {})
    read = read_image(saved(converted, tiffinfo=tags))
    assert read.shape == picture.shape
    if mode == "RGB":
        assert np.array_equal(read, picture)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_opencv_writes_is_read(kind: type) -> None:
    values = DISC.astype(kind) * (257 if kind is np.uint16 else 1)
    content = cv2.imencode(".tiff", values, [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes()
    assert np.array_equal(read_image(content), DISC[..., ::-1])


def test_most_damage_in_strips_of_noise_is_noticed() -> None:
    content, rng = saved(Image.fromarray(DISC + NOISE // 16)), np.random.default_rng(0)
    places = rng.integers(8, len(content) - 400, 60)
    refused = 0
    for place in places:
        try:
            read_image(content[:place] + content[place + 1 :] + b"\0")
        except ImageError:
            refused += 1
    assert refused == len(places), "a byte that is missing moves all codes behind it"


def test_the_packing_of_these_tests_is_that_of_libtiff() -> None:
    content = saved(Image.new("L", (60, 60), 7))  # each code is the entry that it makes
    assert packed(CLEAR, 7, *range(258, 318))[:-1] in content


def test_strips_that_lie_on_each_other_are_refused_before_they_take_hours() -> None:
    content = bytearray(saved(Image.fromarray(NOISE), tiffinfo={278: 1}))
    entry = content.index(struct.pack("<HHI", 279, 3, 90))
    (place,) = struct.unpack_from("<I", content, entry + 8)
    struct.pack_into("<90H", content, place, *[60_000] * 90)
    with pytest.raises(ImageError, match="strips are longer than the file"):
        read_image(bytes(content))
