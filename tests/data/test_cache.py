"""What training sees of the images is decoded once."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.cache import cache_images, cache_masks
from data.images import ImageError

RED, WHITE = (200, 40, 30), (255, 255, 255)


@pytest.fixture
def halves(tmp_path: Path) -> str:
    """An image of 80 x 40 pixels, red on the left and white on the right."""
    image = Image.new("RGB", (80, 40), WHITE)
    image.paste(RED, (0, 0, 40, 40))
    image.save(tmp_path / "halves.png")
    return str(tmp_path / "halves.png")


def test_images_are_decoded_and_resized_into_a_file(tmp_path: Path, halves: str) -> None:
    cached = cache_images([halves, halves], (10, 10), tmp_path / "cache" / "images.npy")
    assert cached.shape == (2, 10, 10, 3)
    assert cached[1, :, 0].tolist() == [list(RED)] * 10
    assert cached[1, :, 9].tolist() == [list(WHITE)] * 10
    cached.flush()
    assert np.array_equal(np.load(tmp_path / "cache" / "images.npy"), cached)


def test_a_region_is_cut_out_and_none_keeps_the_whole_image(tmp_path: Path, halves: str) -> None:
    cached = cache_images([halves, halves], (8, 8), tmp_path / "images.npy", [(40, 0, 80, 40), None])
    assert (cached[0] == WHITE).all()
    assert (cached[1, 0, 0] == RED).all()


def test_masks_keep_how_much_of_a_pixel_is_lesion(tmp_path: Path) -> None:
    Image.fromarray(np.uint8([[255, 0, 255, 255], [0, 0, 255, 255]])).save(tmp_path / "mask.png")
    cached = cache_masks([str(tmp_path / "mask.png")], (1, 2), tmp_path / "masks.npy")
    assert cached.tolist() == [[[64, 255]]]


def test_an_image_that_can_not_be_read_is_named(tmp_path: Path, halves: str) -> None:
    with pytest.raises(ImageError, match=r"missing\.jpg"):
        cache_images([halves, str(tmp_path / "missing.jpg")], (8, 8), tmp_path / "images.npy")


def test_an_image_can_be_changed_before_it_is_resized(tmp_path: Path, halves: str) -> None:
    cached = cache_images(
        [halves, halves],
        (8, 8),
        tmp_path / "images.npy",
        change=lambda position, image: image * (1 - position),
    )
    assert cached[0].any()
    assert not cached[1].any()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system reserves no room")
def test_a_full_disk_is_found_before_an_image_is_decoded(
    tmp_path: Path, halves: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(OSError, match="No space left") as error:
        cache_images([halves], (20, 40), tmp_path / "images.npy")
    assert error.value.filename == str(tmp_path / "images.npy")


def test_the_room_of_the_cache_is_taken_at_once(tmp_path: Path, halves: str) -> None:
    cache_images([halves] * 3, (200, 400), tmp_path / "images.npy")
    assert (tmp_path / "images.npy").stat().st_blocks * 512 >= 3 * 200 * 400 * 3
