"""A mask is read as it is meant, whatever its values, and refused where it can mean two things."""

import io

import numpy as np
import pytest
from PIL import Image

from data.images import ImageError, read_mask

# A lesion of 8 x 6 pixels in a corner of 20 x 16.
LESION = np.zeros((16, 20), bool)
LESION[2:8, 3:11] = True


def encode(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def two_valued(skin: int, lesion: int, kind: type = np.uint8) -> bytes:
    return encode(Image.fromarray(np.where(LESION, lesion, skin).astype(kind)))


def coloured(skin: tuple[int, ...], lesion: tuple[int, ...]) -> Image.Image:
    return Image.fromarray(np.where(LESION[..., None], lesion, skin).astype(np.uint8))


@pytest.mark.parametrize("value", [1, 2, 100, 127, 128, 254, 255])
def test_of_two_values_zero_is_skin_and_the_other_lesion(value: int) -> None:
    assert np.array_equal(read_mask(two_valued(0, value)), LESION)


@pytest.mark.parametrize("value", [1, 100, 255, 65535])
def test_so_it_is_in_16_bits(value: int) -> None:
    assert np.array_equal(read_mask(two_valued(0, value, np.uint16)), LESION)


@pytest.mark.parametrize(
    ("skin", "lesion"),
    [((0, 0, 0), (128, 0, 0)), ((0, 0, 0), (0, 1, 0)), ((0, 0, 0, 255), (255, 255, 255, 255))],
)
def test_a_coloured_lesion_on_black_is_read(skin: tuple, lesion: tuple) -> None:
    assert np.array_equal(read_mask(encode(coloured(skin, lesion))), LESION)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 30)])
@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255)])
def test_on_a_transparent_ground_the_opaque_part_is_the_lesion(colour: tuple, ground: tuple) -> None:
    image = coloured((*ground, 0), (*colour, 255))
    assert np.array_equal(read_mask(encode(image)), LESION)
    assert np.array_equal(read_mask(encode(image, "WEBP", lossless=True, exact=True)), LESION)


def test_colour_and_transparency_that_both_vary_are_refused() -> None:
    pixels = np.array(coloured((0, 0, 0, 255), (255, 255, 255, 255)))
    pixels[-3:, :, 3] = 0
    with pytest.raises(ImageError, match="both in colour and in transparency"):
        read_mask(encode(Image.fromarray(pixels)))
    with pytest.raises(ImageError, match="wholly transparent"):
        read_mask(encode(Image.new("RGBA", (8, 8), (255, 255, 255, 0))))


def test_a_soft_edge_is_lesion_over_127() -> None:
    soft = np.zeros((40, 40), np.uint8)
    soft[:, 20:] = 255
    soft[:20, 19] = 127
    soft[20:, 19] = 128
    mask = read_mask(encode(Image.fromarray(soft)))
    assert mask[:, 20:].all()
    assert mask[:, 19].tolist() == [False] * 20 + [True] * 20
    assert not mask[:, :19].any()
    assert np.array_equal(read_mask(encode(Image.fromarray(soft.astype(np.uint16) * 257))), mask)


def test_a_mask_that_was_saved_as_jpeg_is_read() -> None:
    large = np.kron(LESION, np.ones((16, 16), bool))
    mask = read_mask(encode(Image.fromarray(large.view(np.uint8) * 255), "JPEG", quality=60))
    assert (mask != large).mean() < 0.005


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.arange(256).reshape(16, 16), id="a gradient"),
        pytest.param(np.kron([[0, 1, 2]], np.ones((9, 9))), id="labels of several structures"),
        pytest.param(np.kron([[0, 1, 255]], np.ones((9, 9))), id="labels and void"),
        pytest.param(np.kron([[50, 200]], np.ones((9, 9))), id="two greys"),
        pytest.param(np.kron([[0, 60, 100]], np.ones((9, 9))), id="dark soft edge"),
    ],
)
def test_what_can_mean_two_things_is_refused_with_the_mend(values: np.ndarray) -> None:
    with pytest.raises(ImageError, match="save it with the lesion white and the skin black"):
        read_mask(encode(Image.fromarray(values.astype(np.uint8))))


def test_red_beside_green_is_refused() -> None:
    with pytest.raises(ImageError, match="no black ground"):
        read_mask(encode(coloured((0, 255, 0), (255, 0, 0))))


def test_numbers_that_are_none_are_refused() -> None:
    values = np.where(LESION, 1, np.nan).astype(np.float32)
    with pytest.raises(ImageError, match="no numbers"):
        read_mask(encode(Image.fromarray(values), "TIFF"))


def test_of_one_value_all_is_skin_or_all_is_lesion() -> None:
    assert not read_mask(encode(Image.new("L", (4, 4), 0))).any()
    assert read_mask(encode(Image.new("L", (4, 4), 1))).all()


def test_a_palette_counts_by_its_colours_and_transparency() -> None:
    image = Image.fromarray(LESION.view(np.uint8), "P")
    image.putpalette([0, 0, 0, 128, 0, 0])
    assert np.array_equal(read_mask(encode(image)), LESION)
    image.putpalette([255, 255, 255, 255, 255, 255])
    assert np.array_equal(read_mask(encode(image, transparency=0)), LESION)


def test_two_bright_values_are_no_mask() -> None:
    for content in (two_valued(254, 255), two_valued(255, 254), two_valued(65534, 65535, np.uint16)):
        with pytest.raises(ImageError, match="can't be told apart"):
            read_mask(content)


def test_a_third_value_in_an_area_is_a_label_and_one_along_the_border_is_not() -> None:
    large = np.kron(np.where(LESION, 255, 0), np.ones((16, 16))).astype(np.uint8)
    area, border = large.copy(), large.copy()
    area[200:220, 200:300] = 128
    border[32:128, 47] = 128
    with pytest.raises(ImageError, match="holds 3 values"):
        read_mask(encode(Image.fromarray(area)))
    assert np.array_equal(read_mask(encode(Image.fromarray(border))), border > 127)
