"""Large JPEG files are read reduced, and their parts in as much detail as is asked for."""

import cv2
import numpy as np
import pytest
from PIL import Image

from data.images import ImageError, open_image, read_image
from pipeline.prediction.reading import Photograph, as_pixels, open_photograph
from segmentation.cropping import Box, crop


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Soft colours of 1200 x 1600 pixels with a sharp disc."""
    rng = np.random.default_rng(0)
    soft = cv2.resize(
        rng.integers(120, 200, (9, 12, 3), dtype=np.uint8), (1600, 1200), interpolation=cv2.INTER_CUBIC
    )
    return cv2.circle(soft, (700, 500), 150, (90, 40, 30), cv2.FILLED)


@pytest.fixture(scope="module")
def jpeg(picture) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])[
        1
    ].tobytes()


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean over the pixels of two images of different sizes, in levels of brightness."""
    sizes = [
        cv2.resize(image, (64, 48), interpolation=cv2.INTER_AREA).astype(float) for image in (one, other)
    ]
    return float(np.abs(sizes[0] - sizes[1]).mean())


@pytest.mark.parametrize(
    ("enough", "expected"),
    [
        ((1200, 1600), (1200, 1600)),
        ((601, 801), (1200, 1600)),
        ((600, 800), (600, 800)),
        ((10, 10), (150, 200)),
    ],
)
def test_a_jpeg_is_reduced_to_no_less_than_enough(jpeg, picture, enough, expected):
    image = open_image(jpeg)
    pixels, size = image.pixels(enough), image.size

    assert size == (1200, 1600)
    assert pixels.shape == (*expected, 3)
    assert difference(pixels, picture) < 1


def test_a_turned_jpeg_is_turned_and_reduced(picture):
    pillow = pytest.importorskip("PIL.Image")
    import io  # noqa: PLC0415

    content, exif = io.BytesIO(), pillow.Exif()
    exif[0x0112] = 6
    pillow.fromarray(picture).save(content, "JPEG", exif=exif, quality=95)
    image = open_image(content.getvalue())
    pixels, size = image.pixels((800, 300)), image.size

    assert size == (1600, 1200)
    assert pixels.shape == (800, 600, 3)
    assert difference(pixels, np.rot90(picture, -1)) < 1


def test_other_formats_and_arrays_are_read_in_full(picture):
    png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()

    assert (open_photograph(png, (10, 10)).pixels == picture).all()
    assert (open_photograph(picture, (10, 10)).pixels == picture).all()
    assert (read_image(png) == as_pixels(picture)).all()


def test_a_part_is_what_the_full_image_has_there(jpeg, picture):
    box = Box(500, 300, 900, 700)
    reduced, full = open_photograph(jpeg, (300, 400)), open_photograph(jpeg, (1200, 1600))

    assert reduced.pixels.shape == (300, 400, 3)
    assert (full.part(box, (32, 32)) == crop(read_image(jpeg), box)).all()
    assert reduced.part(box, (100, 100)).shape == (100, 100, 3)
    assert difference(reduced.part(box, (100, 100)), crop(picture, box)) < 2


def test_a_part_is_read_again_where_the_reduced_image_lacks_the_detail(jpeg):
    box = Box(600, 400, 800, 600)
    reduced = open_photograph(jpeg, (300, 400))

    assert reduced.part(box, (51, 51)).shape == (100, 100, 3)
    assert reduced.part(box, (150, 150)).shape == (200, 200, 3)
    assert (reduced.part(box, (1000, 1000)) == crop(read_image(jpeg), box)).all()


def test_the_size_is_the_images_own():
    image = np.zeros((40, 50, 3), np.uint8)
    assert open_photograph(image, (32, 32)).size == (40, 50)
    assert isinstance(open_photograph(image, (32, 32)), Photograph)


def test_a_pil_image_is_turned_as_its_exif_says() -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30] = (200, 10, 10)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = 6  # a camera that was held upright
    assert np.array_equal(as_pixels(image), np.rot90(pixels, -1))


def test_what_is_no_image_is_refused_in_a_sentence() -> None:
    with pytest.raises(ImageError, match="list: is no image; give a path"):
        as_pixels([1, 2, 3])  # type: ignore[arg-type]


def test_a_pillow_image_whose_16_bits_hold_12_is_refused_as_a_file_of_it_is():
    dark = Image.fromarray(np.full((64, 64), 4095, np.uint16))
    with pytest.raises(ImageError, match="scale them to the full range"):
        open_photograph(dark, (10, 10))
