"""Whatever a file holds, it is read or refused in one sentence, soon, and the next file is read all the same."""

import io
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.images import ImageError, read_image

FORMATS = {
    "JPEG": {"quality": 85},
    "progressive": {"quality": 85, "progressive": True},
    "PNG": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "LZW": {"compression": "tiff_lzw"},
    "WEBP": {"quality": 85},
    "lossless": {"lossless": True},
}
NAMES = {"progressive": "JPEG", "LZW": "TIFF", "lossless": "WEBP"}


def picture(width: int = 48, height: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encode(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, NAMES.get(kind, kind), **{**FORMATS[kind], **options})
    return buffer.getvalue()


def outcome(content: bytes) -> str:
    """ "read" or the sentence of the refusal; anything else fails the test."""
    start = time.perf_counter()
    try:
        pixels = read_image(content)
    except ImageError as error:
        said = str(error)
        assert said.startswith("image: ")
        assert said.endswith(".")
        assert "\n" not in said
    else:
        assert pixels.dtype == np.uint8
        said = "read"
    assert time.perf_counter() - start < 10  # a bound against hanging, not a measurement
    return said


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_cut_anywhere_is_refused(kind: str) -> None:
    content = encode(kind)
    whole = read_image(content)
    step = max(1, len(content) // 120)
    for end in [*range(1, min(120, len(content))), *range(120, len(content) - 1, step)]:
        if outcome(content[:end]) == "read":  # only padding or metadata was lost
            assert np.array_equal(read_image(content[:end]), whole)


@pytest.mark.parametrize("kind", FORMATS)
def test_damage_anywhere_neither_crashes_nor_hangs(kind: str) -> None:
    content, rng = encode(kind), np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 9)):
            damaged[place] = rng.integers(256)
        outcome(bytes(damaged))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_wrong_suffix_changes_nothing(kind: str, tmp_path: Path) -> None:
    for name in ("photo.txt", "photo.png", "photo.jpg", "photo"):
        (tmp_path / name).write_bytes(encode(kind))
        assert np.array_equal(read_image(tmp_path / name), read_image(encode(kind)))


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 40)])
def test_lying_dimensions_are_refused_before_memory_is_taken(size: tuple[int, int]) -> None:
    width, height = size
    png = bytearray(encode("PNG"))
    png[16:24] = struct.pack(">II", width, height)
    bmp = bytearray(encode("BMP"))
    bmp[18:26] = struct.pack("<ii", width, height)
    jpeg = bytearray(encode("JPEG"))
    frame = jpeg.find(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", min(height, 65535), min(width, 65535))
    for content in (png, bmp, jpeg):
        assert outcome(bytes(content)) != "read"


def test_a_jpeg_that_names_more_rows_than_it_holds_is_refused() -> None:
    content = bytearray(encode("JPEG"))
    frame = content.find(b"\xff\xc0")
    content[frame + 5 : frame + 7] = struct.pack(">H", 4000)
    assert "premature end" in outcome(bytes(content)).lower()


def test_broken_metadata_spoils_no_sound_pixels() -> None:
    for kind in ("JPEG", "WEBP", "TIFF"):
        sound = read_image(encode(kind))
        assert np.array_equal(read_image(encode(kind, icc_profile=b"no profile at all")), sound)
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(200))
    assert np.array_equal(read_image(encode("JPEG", exif=exif)), read_image(encode("JPEG")))


def test_of_an_animation_the_first_picture_is_read() -> None:
    other = Image.new("RGB", (48, 40), "red")
    for kind in ("PNG", "lossless", "TIFF"):
        several = encode(kind, save_all=True, append_images=[other, other])
        assert np.array_equal(read_image(several), np.asarray(picture()))


@pytest.mark.parametrize("size", [(1, 500), (500, 1), (31, 500)])
def test_an_image_of_a_few_pixels_width_is_refused(size: tuple[int, int]) -> None:
    for kind in FORMATS:
        assert "pixels are too few" in outcome(encode(kind, picture(*size)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 0.5])
def test_floating_point_is_refused_whatever_it_holds(value: float) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 40), value, np.float32)).save(buffer, "TIFF")
    assert "no defined range" in outcome(buffer.getvalue())


@pytest.mark.parametrize(
    "content",
    [b"\0", b"\xff\xd8\xff", b"BM", b"II*\0", b"RIFF\xff\xff\xff\xffWEBP", b"\x89PNG\r\n\x1a\n", b"GIF89a"],
)
def test_a_signature_alone_is_refused(content: bytes) -> None:
    for filling in (b"", b"\0" * 5000, b"\xff" * 5000, bytes(range(256)) * 20):
        assert outcome(content + filling) != "read"


@pytest.mark.skipif(os.name != "posix", reason="names that other systems don't allow")
@pytest.mark.parametrize(
    "name", ["a\nb.png", " .png", "-o.png", "%s{0}.png", "\u202egnp.a", "é" * 100 + ".png"]
)
def test_odd_names_are_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(encode("PNG"))
    assert read_image(tmp_path / name).shape == (40, 48, 3)


def test_a_file_that_changes_after_it_was_opened_gives_the_pixels_that_were_checked(tmp_path: Path) -> None:
    from data.images import open_image  # noqa: PLC0415

    path = tmp_path / "a.png"
    path.write_bytes(encode("PNG"))
    opened = open_image(path)
    path.write_bytes(encode("BMP", picture(200, 100)))
    path.unlink()
    assert np.array_equal(opened.pixels(), np.asarray(picture()))
