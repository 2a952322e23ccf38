"""Images decoded and resized once, kept as uint8 arrays on disk for the epochs that follow."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data.images import read_image, read_mask
from data.progress import tracked
from data.resizing import resize

Region = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels


def cache_images(
    image_paths: Sequence[str],
    size: tuple[int, int],
    file: Path,
    regions: Sequence[Region | None] | None = None,
    change: Callable[[int, np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Decode images, cut out their regions and resize them, into one array in a file.

    Parameters
    ----------
    image_paths : sequence of N paths
    size : (height, width) of the cached images
    file : Path
        Where the array is kept (`.npy`); it is mapped into memory and not held there.
    regions : N regions, optional
        What to keep of an image; None keeps all of it.
    change : function (position, image) -> image, optional
        Applied before an image is resized.

    Returns
    -------
    uint8 array (N, height, width, 3)
    """
    cache = _new_array(file, (len(image_paths), *size, 3))
    for position in tracked(range(len(image_paths)), "decoding images"):
        image = read_image(image_paths[position])
        if regions is not None and (region := regions[position]) is not None:
            x0, y0, x1, y1 = region
            image = image[y0:y1, x0:x1]
        if change is not None:
            image = change(position, image)
        cache[position] = resize(image, size)
    return cache


def cache_masks(mask_paths: Sequence[str], size: tuple[int, int], file: Path) -> np.ndarray:
    """Read masks and resize them into one uint8 array (N, height, width): the lesion's part of a pixel, 0..255."""
    cache = _new_array(file, (len(mask_paths), *size))
    for position in tracked(range(len(mask_paths)), "decoding masks"):
        cache[position] = np.rint(resize(read_mask(mask_paths[position]).astype(np.float32), size) * 255)
    return cache


def _new_array(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    file.parent.mkdir(parents=True, exist_ok=True)
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    _reserve(file)
    return array


def _reserve(file: Path) -> None:
    """Take the file's room on the disk at once: a mapped array that runs out of it ends the process with a signal."""
    if not hasattr(os, "posix_fallocate"):
        return
    with file.open("r+b") as mapped:
        try:
            os.posix_fallocate(mapped.fileno(), 0, file.stat().st_size)
        except OSError as error:
            if error.errno in {errno.EOPNOTSUPP, errno.EINVAL}:  # the file system can't reserve
                return
            error.filename = str(file)
            raise
