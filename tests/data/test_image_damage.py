"""Where a checksum, a length or the decoder knows of damage, an image is refused and no pixel is made up."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from data.images import ImageError, image_size, read_image, read_mask


def drawn(width: int = 96, height: int = 80) -> Image.Image:
    """A dark disc with some texture on a light ground."""
    y, x = np.mgrid[:height, :width]
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
    noise = np.random.default_rng(0).integers(0, 20, (height, width, 3))
    return Image.fromarray(
        (np.where(disc[..., None], (90, 50, 40), (220, 180, 160)) + noise).astype(np.uint8)
    )


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def flips(content: bytes, count: int, seed: int = 0) -> list[bytes]:
    """Copies of a file with one bit turned in each."""
    rng = np.random.default_rng(seed)
    damaged = []
    for _ in range(count):
        copy = bytearray(content)
        copy[rng.integers(len(copy))] ^= 1 << rng.integers(8)
        damaged.append(bytes(copy))
    return damaged


def is_refused(content: bytes) -> bool:
    try:
        read_image(content)
    except ImageError as error:
        assert "\n" not in str(error)
        return True
    return False


def png_part(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_every_single_bit_flip_in_a_png_is_refused(mode: str) -> None:
    content = encode(drawn().convert(mode), "PNG")
    assert all(is_refused(damaged) for damaged in flips(content, 200))


def test_a_flip_in_a_mask_is_refused() -> None:
    content = encode(drawn().convert("1"), "PNG")
    for damaged in flips(content, 50):
        with pytest.raises(ImageError):
            read_mask(damaged)


def test_a_png_without_its_end_or_with_too_few_pixels_is_refused() -> None:
    content = encode(drawn(), "PNG")
    assert is_refused(content[:-12])
    rows = zlib.compress(b"\0" * 96)
    header = png_part(b"IHDR", struct.pack(">IIBBBBB", 96, 80, 8, 0, 0, 0, 0))
    short = content[:8] + header + png_part(b"IDAT", rows) + png_part(b"IEND", b"")
    assert is_refused(short)


def written_png(
    rows: bytes, size: tuple[int, int], kind: int = 0, interlaced: int = 0, more: bytes = b""
) -> bytes:
    """A PNG file of 8 bits with all its checksums, whatever its rows are."""
    header = struct.pack(">IIBBBBB", *size, 8, kind, 0, 0, interlaced)
    parts = png_part(b"IHDR", header) + more + png_part(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + parts + png_part(b"IEND", b"")


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_png_whose_last_rows_are_missing_is_refused_though_every_checksum_fits(interlaced: int) -> None:
    grey = np.asarray(drawn().convert("L"))
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    parts = [grey[y::down, x::across] for x, y, across, down in passes] if interlaced else [grey]
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part)
    whole = read_image(written_png(rows, (96, 80), interlaced=interlaced))
    assert np.array_equal(whole[..., 0], grey)
    with pytest.raises(ImageError, match="a part of its pixels is missing"):
        read_image(written_png(rows[:-97], (96, 80), interlaced=interlaced))


def test_a_png_without_the_checksum_of_its_rows_is_refused() -> None:
    content = encode(drawn(), "PNG")
    start = content.find(b"IDAT")
    (length,) = struct.unpack(">I", content[start - 4 : start])
    pixels = content[start + 4 : start + 4 + length]
    short = content[: start - 4] + png_part(b"IDAT", pixels[:-4]) + content[start + 8 + length :]
    with pytest.raises(ImageError, match="a part of its pixels is missing"):
        read_image(short)


def test_a_colour_that_the_palette_lacks_is_refused() -> None:
    rows = b"".join(b"\0" + bytes([row % 4] * 96) for row in range(80))
    four, three = (png_part(b"PLTE", bytes(range(3 * colours))) for colours in (4, 3))
    assert read_image(written_png(rows, (96, 80), kind=3, more=four)).shape == (80, 96, 3)
    with pytest.raises(ImageError, match="beyond the 3 of the palette"):
        read_image(written_png(rows, (96, 80), kind=3, more=three))


def test_a_progressive_jpeg_that_ends_between_two_scans_is_refused() -> None:
    content = encode(drawn(), "JPEG", progressive=True)
    scans = [place for place in range(len(content)) if content[place : place + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for place in scans[1:]:
        with pytest.raises(ImageError, match="a part of its scans is missing"):
            read_image(content[:place] + b"\xff\xd9")


@pytest.mark.parametrize("compression", ["tiff_adobe_deflate", "lzma"])
def test_every_flip_in_the_strips_of_a_tiff_with_checksums_is_refused(compression: str) -> None:
    content = encode(drawn(), "TIFF", compression=compression)
    with Image.open(io.BytesIO(content)) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    strip = content[start : start + length]
    for damaged in flips(strip, 100):
        assert is_refused(content[:start] + damaged + content[start + length :])


def test_damage_in_the_jpeg_strips_of_a_tiff_is_refused_where_the_decoder_notices_it() -> None:
    content = encode(drawn(), "TIFF", compression="jpeg", quality=95)
    with Image.open(io.BytesIO(content)) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    assert length > 1000
    for place in range(start + length // 2, start + length - 200, length // 16):
        damaged = bytearray(content)
        damaged[place : place + 100] = bytes(100)
        assert is_refused(bytes(damaged))
    assert read_image(content).shape == (80, 96, 3)


def test_libtiff_writes_nothing_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(encode(drawn(), "TIFF", compression="tiff_lzw"))
    content[400:464] = bytes(64)
    assert is_refused(bytes(content))
    assert capfd.readouterr().err == ""


def test_pillow_logs_nothing_of_a_damaged_file(caplog: pytest.LogCaptureFixture) -> None:
    content = bytearray(encode(drawn(), "TIFF"))
    samples = content.index(struct.pack("<HHI", 277, 3, 1))
    content[samples + 8 : samples + 12] = struct.pack("<I", 50179)
    with pytest.raises(ImageError):
        read_image(bytes(content))
    assert not caplog.records  # Python prints what nobody handles


def test_what_libjpeg_only_warns_of_is_refused() -> None:
    content = encode(drawn(), "JPEG", quality=90)
    scan = content.find(b"\xff\xda")
    for damaged, reason in {
        content[:-300] + b"\xff\xd9": "premature end of data segment",
        content[:-2]: "Premature end of JPEG file",
        content[:scan] + b"abc" + content[scan:]: "extraneous bytes",
    }.items():
        with pytest.raises(ImageError, match=reason):
            read_image(damaged)


def test_damage_that_the_jpeg_decoder_notices_gives_no_pixels_and_the_rest_whole_images() -> None:
    content = encode(drawn(), "JPEG", quality=90)
    refused = sum(is_refused(damaged) for damaged in flips(content, 200))
    assert 20 <= refused < 200  # a JPEG has no checksum: most flips can't be told from another image


@pytest.mark.parametrize("header", [b"JFIF\0\5\1", b"JFIF\0\1\1"])
def test_an_odd_but_harmless_jpeg_is_read(header: bytes) -> None:
    content = encode(drawn(), "JPEG")
    assert read_image(content.replace(b"JFIF\0\1\1", header)).shape == (80, 96, 3)
    assert read_image(content + b"trailer of a telephone").shape == (80, 96, 3)


def test_a_jpeg_of_unusual_chroma_sampling_is_read() -> None:
    cv2 = pytest.importorskip("cv2")
    options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411]
    pixels = np.asarray(drawn())[:, :, ::-1]
    content = cv2.imencode(".jpg", pixels, options)[1].tobytes()
    assert np.abs(read_image(content).astype(int) - np.asarray(drawn())).mean() < 12


def test_a_jpeg_decodes_to_the_pixels_that_pillow_decodes() -> None:
    for options in ({"quality": 75}, {"quality": 95, "subsampling": 0, "progressive": True}):
        content = encode(drawn(), "JPEG", **options)
        assert np.array_equal(read_image(content), np.asarray(Image.open(io.BytesIO(content))))
    for mode in ("L", "CMYK"):
        content = encode(drawn().convert(mode), "JPEG")
        expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        assert np.array_equal(read_image(content), expected)


def test_a_jpeg_with_hundreds_of_scans_is_refused_at_once() -> None:
    content = encode(drawn(), "JPEG", progressive=True)
    last = content.rfind(b"\xff\xda")
    many = content[:last] + content[last:-2] * 300 + b"\xff\xd9"
    start = time.perf_counter()
    with pytest.raises(ImageError, match="scans"):
        read_image(many)
    assert time.perf_counter() - start < 1


def test_a_jpeg_of_endless_markers_or_fill_bytes_is_refused_at_once() -> None:
    content = encode(drawn(), "JPEG")
    for filling in (b"\xff\xfe\0\2" * 1_000_000, b"\xff" * 5_000_000, b"\0" * 5_000_000):
        start = time.perf_counter()
        assert is_refused(content[:2] + filling + content[2:])
        assert time.perf_counter() - start < 1


def test_a_webp_file_that_is_shorter_than_it_says_is_refused() -> None:
    content = encode(drawn(), "WEBP", quality=90)
    assert all(is_refused(content[:-cut]) for cut in (1, 2, 40, 400))


@pytest.mark.parametrize(("file_format", "options"), [("WEBP", {"lossless": True}), ("BMP", {})])
def test_a_file_that_is_longer_than_it_says_is_refused(file_format: str, options: dict[str, object]) -> None:
    content = encode(drawn(), file_format, **options)
    for place in (len(content) // 2, len(content)):
        with pytest.raises(ImageError, match="longer than it says"):
            read_image(content[:place] + bytes(range(40)) + content[place:])
    if file_format == "BMP":  # whose writers may leave the length out
        assert read_image(content[:2] + bytes(4) + content[6:] + b"more").shape == (80, 96, 3)


def test_a_webp_bomb_is_refused_before_its_canvas_is_reserved() -> None:
    body = struct.pack("<I", 0) + (16382).to_bytes(3, "little") * 2
    bomb = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + body
    with pytest.raises(ImageError, match="16383 x 16383 pixels are more than"):
        read_image(bomb)


def test_the_size_comes_from_the_header_of_a_file_whose_pixels_are_missing() -> None:
    for file_format in ("PNG", "JPEG"):
        content = encode(drawn(), file_format)
        assert image_size(content[: len(content) // 2]) == (80, 96)


def test_the_size_of_a_bomb_is_refused_by_its_header() -> None:
    header = png_part(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0))
    with pytest.raises(ImageError, match="20000 x 20000 pixels are more than"):
        image_size(b"\x89PNG\r\n\x1a\n" + header + png_part(b"IDAT", b""))


def test_an_orientation_behind_a_pngs_pixels_is_found_without_decoding_them() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(drawn(), "PNG")
    turned = content[:-12] + png_part(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + content[-12:]
    assert image_size(turned) == (96, 80)
    assert read_image(turned).shape == (96, 80, 3)
