"""Pictures of anything but dermoscopy, as a user has them in a folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from data.datasets.catalog import DatasetError
from data.datasets.finding import find_images
from data.images import MIN_SIDE, ImageError, image_size, read_image
from data.resizing import resize

PARTS = 3  # of each picture, besides the whole
SMALLEST, LARGEST = 0.2, 0.9  # height of a part, of the shorter side
PART_SIZE = (300, 400)


def pictures_in(folder: Path) -> list[Path]:
    """The images in a folder and below it, without those that are too small or no images.

    Raises
    ------
    DatasetError
        If there are none.
    """
    paths = [path for path in find_images([folder]) if _usable(path)]
    if not paths:
        raise DatasetError(f"{folder} holds no images; name a folder of photographs that show no lesion.")
    return paths


def _usable(path: Path) -> bool:
    try:
        return min(image_size(path)) >= MIN_SIDE
    except ImageError:
        return False


def with_parts(paths: Iterable[Path], seed: int = 0) -> Iterator[np.ndarray]:
    """Each picture as a whole, and three parts of it at random places and scales.

    Yields
    ------
    uint8 RGB arrays: (H, W, 3) of a picture, (300, 400, 3) of a part

    A file that turns out to be damaged is left out.
    """
    rng = np.random.default_rng(seed)
    for path in paths:
        try:
            picture = read_image(path)
        except ImageError:
            continue
        yield picture
        for _ in range(PARTS):
            yield resize(_part(picture, rng), PART_SIZE)


def _part(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A part about as wide as images are, of 4 to 3, where the picture is wide enough."""
    height = max(1, int(min(picture.shape[:2]) * rng.uniform(SMALLEST, LARGEST)))
    width = min(picture.shape[1], height * PART_SIZE[1] // PART_SIZE[0])
    top, left = rng.integers(0, picture.shape[0] - height + 1), rng.integers(0, picture.shape[1] - width + 1)
    return np.ascontiguousarray(picture[top : top + height, left : left + width])
