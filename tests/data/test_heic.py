import io

import numpy as np
import pytest
from PIL import Image

from data.heic import is_heic, png_of_heic
from data.images import ImageError, read_image


@pytest.fixture
def photo(draw):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(draw)).save(file, quality=95)
    return file.getvalue()


@pytest.fixture
def draw():
    image = np.full((120, 200, 3), (225, 185, 165), np.uint8)
    image[40:80, 60:140] = (110, 60, 40)
    return image


def test_a_heic_photo_is_read_as_what_it_shows(photo, draw):
    assert is_heic(photo)
    pixels = read_image(png_of_heic(photo, "photo.heic"))

    assert pixels.shape == draw.shape
    assert np.abs(pixels.astype(int) - draw).mean() < 3


def test_other_files_are_no_heic():
    assert not is_heic(b"\xff\xd8\xff\xe0" + bytes(20))
    assert not is_heic(b"")


def test_a_damaged_one_is_a_line(photo):
    with pytest.raises(ImageError, match=r"^photo\.heic: the HEIC data are damaged"):
        png_of_heic(photo[: len(photo) // 3], "photo.heic")


def test_where_it_can_not_be_read_the_mend_is_named(monkeypatch):
    monkeypatch.setattr("data.heic.find_spec", lambda _: None)

    with pytest.raises(ImageError, match="pillow-heif, which reads them, is not installed"):
        png_of_heic(b"", "photo.heic")
