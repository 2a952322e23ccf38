"""Values of every depth and direction become the brightness that they mean."""

import io

import cv2
import numpy as np
import pytest

from data.images import ImageError, read_image

tifffile = pytest.importorskip("tifffile")

RAMP = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)


def tiff(values: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_grey_keeps_its_brightness(byteorder: str, compression: str | None) -> None:
    content = tiff(RAMP, photometric="minisblack", byteorder=byteorder, compression=compression)
    assert np.abs(read_image(content)[..., 0].astype(int) - RAMP // 257).max() <= 1


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_white_is_zero_is_not_inverted(compression: str | None) -> None:
    black_is_zero = tiff(RAMP, photometric="minisblack", compression=compression)
    white_is_zero = tiff(65535 - RAMP, photometric="miniswhite", compression=compression)
    assert np.array_equal(read_image(white_is_zero), read_image(black_is_zero))


def test_8_bit_white_is_zero_is_not_inverted() -> None:
    ramp = (RAMP >> 8).astype(np.uint8)
    assert np.array_equal(read_image(tiff(255 - ramp, photometric="miniswhite"))[..., 0], ramp)


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.float32, np.float64, np.uint32])
def test_values_without_a_defined_range_are_refused(kind: type) -> None:
    with pytest.raises(ImageError):
        read_image(tiff((RAMP >> 9).astype(kind), photometric="minisblack"))


def test_signed_8_bits_are_called_signed() -> None:
    with pytest.raises(ImageError, match="signed pixels have no defined range of brightness"):
        read_image(tiff(np.full((40, 40), -3, np.int8), photometric="minisblack"))


def png(values: np.ndarray) -> bytes:
    """16-bit grey or RGB; cv2's colours are the other way round, which is no matter here."""
    return cv2.imencode(".png", values)[1].tobytes()


@pytest.mark.parametrize("encode", [png, tiff])
@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3)])
@pytest.mark.parametrize("bits", [10, 12])
def test_values_of_fewer_bits_in_16_are_refused_and_not_read_as_black(encode, shape, bits: int) -> None:
    values = np.resize(RAMP >> (16 - bits), shape)
    with pytest.raises(
        ImageError, match=r"16-bit values is over a sixteenth .* scale them to the full range"
    ):
        read_image(encode(values))


@pytest.mark.parametrize("encode", [png, tiff])
@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3)])
def test_a_dark_picture_of_16_bits_is_read(encode, shape) -> None:
    assert read_image(encode(np.resize(RAMP >> 3, shape))).max() in {31, 32}


def test_a_black_picture_of_8_bits_is_read() -> None:
    assert read_image(png(np.zeros((40, 40), np.uint8))).max() == 0


def test_a_large_image_is_converted_in_strips_as_a_small_one() -> None:
    from PIL import Image  # noqa: PLC0415

    import data.rgb  # noqa: PLC0415

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 50, 4), np.uint8))
    whole = data.rgb.to_rgb(image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data.rgb, "PIXELS_AT_ONCE", 333)
        assert np.array_equal(data.rgb.to_rgb(image), whole)
