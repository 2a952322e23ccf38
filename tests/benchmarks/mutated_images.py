"""What becomes of damaged image files: refused, read as if nothing had happened, or read with other pixels.

    python tests/benchmarks/mutated_images.py [COUNT]

Draws a lesion, writes it in nine ways, and damages each COUNT times: a bit turned, a byte replaced, a run of bytes
zeroed, a part cut out, a part inserted, or the end cut off. Prints the share of each outcome, and the most seconds that
a file took.
"""

import io
import sys
import time
from collections import Counter

import numpy as np
from PIL import Image

from data.drawing.dataset import draw_lesion
from data.images import ImageError, read_image

KINDS = {
    "PNG": ("PNG", {}),
    "JPEG, baseline": ("JPEG", {"quality": 90}),
    "JPEG, progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "JPEG, restart markers": ("JPEG", {"quality": 90, "restart_marker_rows": 1}),
    "WebP, lossy": ("WEBP", {"quality": 90}),
    "WebP, lossless": ("WEBP", {"lossless": True}),
    "TIFF, deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "BMP": ("BMP", {}),
}


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy of a file with one damage."""
    place, length = int(rng.integers(len(content))), int(rng.integers(1, 64))
    changed = bytearray(content)
    match int(rng.integers(6)):
        case 0:
            changed[place] ^= 1 << int(rng.integers(8))
        case 1:
            changed[place] = int(rng.integers(256))
        case 2:
            changed[place : place + length] = bytes(len(changed[place : place + length]))
        case 3:
            del changed[place : place + length]
        case 4:
            changed[place:place] = rng.bytes(length)
        case _:
            del changed[max(1, place) :]
    return bytes(changed)


def main(count: int) -> None:
    picture = Image.fromarray(draw_lesion(1, "mel", (240, 320)).image)
    slowest, total = 0.0, Counter()
    print(f"{'':24}{'refused':>9}{'same':>9}{'other':>9}")
    for name, (file_format, options) in KINDS.items():
        buffer = io.BytesIO()
        picture.save(buffer, file_format, **options)
        content, rng = buffer.getvalue(), np.random.default_rng(0)
        whole, outcomes = read_image(content), Counter()
        for _ in range(count):
            copy = damaged(content, rng)
            start = time.perf_counter()
            try:
                pixels = read_image(copy)
            except ImageError:
                outcomes["refused"] += 1
            else:
                outcomes["same" if np.array_equal(pixels, whole) else "other"] += 1
            slowest = max(slowest, time.perf_counter() - start)
        total += outcomes
        print(
            f"{name:24}" + "".join(f"{outcomes[kind] / count:9.1%}" for kind in ("refused", "same", "other"))
        )
    print(f"{sum(total.values())} files: {dict(total)}; the slowest took {slowest:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
