"""Near-duplicates: images that show the same picture, whatever their size, compression and light."""

from collections.abc import Sequence

import imagehash
import numpy as np
from PIL import Image

from data.images import read_image
from data.progress import tracked
from data.resizing import resize

HASH_SIDE = 16
# Of the 256 bits. Measured on HAM10000, see `tests/benchmarks/near_duplicates.py`.
NEAR_DUPLICATE_BITS = 52
# Copies of one picture in two sizes differ by 0.5 to 4 of 255 levels on average at this size.
THUMBNAIL_SIZE, MOST_DIFFERENCE = (32, 32), 6.0


def perceptual_hashes(image_paths: Sequence[str]) -> np.ndarray:
    """Perceptual hash of every image's decoded pixels: (N, 32) uint8, 256 bits each.

    The hash (`imagehash.phash`) tells the signs of the low frequencies of the luminance's cosine transform; it hardly
    changes with size, compression or light. Raises ImageError for a file that can't be read.
    """
    hashes = [perceptual_hash(path) for path in tracked(image_paths, "looking for near-duplicates")]
    return np.array(hashes, np.uint8).reshape(-1, HASH_SIDE * HASH_SIDE // 8)


def near_duplicate_pairs(
    hashes: np.ndarray, bits: int = NEAR_DUPLICATE_BITS
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the pairs of images whose hashes (N, 32) differ in at most `bits` bits; first < second."""
    words = np.ascontiguousarray(hashes).view(np.uint64)
    firsts, seconds = [np.empty(0, int)], [np.empty(0, int)]
    for position in range(len(words) - 1):
        distance = np.bitwise_count(words[position + 1 :] ^ words[position]).sum(axis=1, dtype=np.int32)
        close = position + 1 + np.flatnonzero(distance <= bits)
        firsts.append(np.full(len(close), position))
        seconds.append(close)
    return np.concatenate(firsts), np.concatenate(seconds)


def perceptual_hash(image_path: str) -> np.ndarray:
    """Perceptual hash of one image, uint8 (32,), see `perceptual_hashes`."""
    small = Image.fromarray(resize(read_image(image_path), (128, 128)))
    return np.packbits(imagehash.phash(small, hash_size=HASH_SIDE).hash)


def same_picture(first: str, second: str) -> bool:
    """Whether two files hold the same picture in the same colours, in whatever size or compression."""
    if not len(near_duplicate_pairs(perceptual_hashes([first, second]))[0]):
        return False
    thumbnails = [resize(read_image(path), THUMBNAIL_SIZE).astype(float) for path in (first, second)]
    return bool(np.abs(thumbnails[0] - thumbnails[1]).mean() <= MOST_DIFFERENCE)
