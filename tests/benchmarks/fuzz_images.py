"""Coverage-guided fuzzing of the readers of images and masks, with atheris.

    pip install atheris
    python tests/benchmarks/fuzz_images.py -max_total_time=1800 -rss_limit_mb=1500 -timeout=20 [CORPUS]

Whatever the bytes, reading gives pixels of the size that the header names, or an ImageError of one line.
"""

import io
import sys

import atheris
import numpy as np
from PIL import Image

with atheris.instrument_imports(include=["data", "PIL"]):
    from data.images import ImageError, image_size, read_image, read_mask

MOST_PIXELS = 4_000_000


def seeds() -> list[bytes]:
    """A small file of every format and of several kinds of pixels."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (40, 36, 3), dtype=np.uint8))
    kinds = [
        *(
            ("JPEG", mode, options)
            for mode in ("RGB", "L", "CMYK")
            for options in ({}, {"progressive": True})
        ),
        *(("PNG", mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "I;16")),
        *(("TIFF", mode, {}) for mode in ("L", "RGB", "CMYK", "F", "I;16")),
        *(("TIFF", "RGB", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")),
        *(("BMP", mode, {}) for mode in ("1", "L", "RGB")),
        *(("WEBP", mode, {"lossless": lossless}) for mode in ("RGB", "RGBA") for lossless in (True, False)),
    ]
    contents = []
    for file_format, mode, options in kinds:
        image = picture.convert("L").convert(mode) if mode in {"F", "I;16"} else picture.convert(mode)
        buffer = io.BytesIO()
        image.save(buffer, file_format, **options)
        contents.append(buffer.getvalue())
    return contents


SEEDS = seeds()


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Now and then start again from a whole file, which random bytes would never find."""
    if seed % 16 == 0 or len(data) < 8:
        data = SEEDS[seed // 16 % len(SEEDS)]
    return atheris.Mutate(data, most)


def read(data: bytes) -> None:
    """Read the bytes in every way."""
    readers = (
        image_size,
        lambda content: read_image(content, max_pixels=MOST_PIXELS).shape[:2],
        lambda content: read_mask(content, max_pixels=MOST_PIXELS).shape,
    )
    for reader in readers:
        try:
            found = reader(data)
        except ImageError as error:
            assert "\n" not in str(error), error
        else:
            assert len(found) == 2


if __name__ == "__main__":
    atheris.Setup(sys.argv, read, custom_mutator=mutated)
    atheris.Fuzz()
