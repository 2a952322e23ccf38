"""Golden files: drawn and odd images, and what the Python pipeline says of them, to hold the page against.

`python -m pipeline.web.golden DIR` writes the images and `expected.json`.
"""

import argparse
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image

from data.datasets.diagnoses import HAM10000_CLASSES
from data.drawing.dataset import draw_lesion
from data.files import write_text
from data.images import ImageError
from pipeline.bundle.loading import Bundle, load_bundle
from pipeline.prediction.predictor import LesionPipeline

EXPECTED_FILE = "expected.json"
SIZES = (
    (450, 600),
    (300, 400),
    (192, 256),
    (600, 600),
    (768, 1024),
    (84, 84),
    (224, 224),
    (480, 300),
    (97, 211),
)


def write_golden(bundle: Bundle, folder: Path, images: Iterable[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Write images to `folder`, and to `expected.json` what the pipeline says of each of them.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        It is made where it is missing.
    images : (file name, content) of each image

    Returns
    -------
    What `expected.json` holds: for each image its name, and the fields of `Prediction.to_dict` and the mask's pixels,
    or an error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = LesionPipeline.load(bundle)
    expected = []
    for name, content in images:
        (folder / name).write_bytes(content)
        expected.append({"image": name, **_said(pipeline, content)})
    write_text(folder / EXPECTED_FILE, json.dumps(expected, indent=1))
    return expected


def golden_images(seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """File names and contents, without end: the odd images, then drawn lesions as PNG, and every fifth as JPEG."""
    yield from _odd_images(seed)
    for number, (size, dx) in enumerate(zip(cycle(SIZES), cycle(HAM10000_CLASSES), strict=True)):
        drawn = draw_lesion(seed + number, dx, size).image
        file_format = "jpeg" if number % 5 == 4 else "png"
        yield f"drawn-{number:03}-{dx}.{file_format}", _encoded(drawn, file_format)


def _said(pipeline: LesionPipeline, content: bytes) -> dict[str, Any]:
    try:
        prediction = pipeline.predict(content)
    except ImageError as error:
        return {"error": str(error)}
    return {**prediction.to_dict(), "mask_pixels": int(np.count_nonzero(prediction.mask))}


def _odd_images(seed: int) -> Iterator[tuple[str, bytes]]:
    lesion = draw_lesion(seed, "mel").image
    naevus = draw_lesion(seed, "nv", (300, 400)).image
    for name, make in _ODD_PIXELS.items():
        yield f"{name}.png", _encoded(make(lesion, np.random.default_rng(seed)), "png")
    for name, make_file in _ODD_FILES.items():
        yield name, make_file(naevus)
    for turn in range(2, 9):
        yield f"turned-{turn}.jpg", _encoded(naevus, "jpeg", turn, quality=95)
    for dx in ("bcc", "nv", "bkl", "df"):
        middling = cv2.resize(draw_lesion(seed, dx).image, (2400, 1800), interpolation=cv2.INTER_CUBIC)
        yield f"photograph-{dx}.jpg", _encoded(middling, "jpeg", quality=92)
    photograph = cv2.resize(lesion, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    yield "photograph.jpg", _encoded(photograph, "jpeg", quality=92)
    yield "photograph-turned.jpg", _encoded(photograph[:, 251:3750], "jpeg", 6, quality=92)
    yield "photograph.png", _encoded(photograph, "png")


def _plain(value: tuple[int, int, int]) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    return lambda lesion, _: np.full_like(lesion, value)


_ODD_PIXELS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "black": _plain((0, 0, 0)),
    "white": _plain((255, 255, 255)),
    "skin": _plain((225, 180, 160)),
    "noise": lambda lesion, random: random.integers(0, 256, lesion.shape, np.uint8),
    "stripes": lambda lesion, _: np.where(np.arange(600)[None, :, None] % 40 < 20, lesion, 255).astype(
        np.uint8
    ),
    "wide": lambda lesion, _: np.ascontiguousarray(np.tile(lesion, (1, 3, 1))[200:260]),
    "narrow": lambda lesion, _: np.ascontiguousarray(np.tile(lesion, (3, 1, 1))[:, 280:330]),
    "smallest": lambda lesion, _: cv2.resize(lesion, (32, 32), interpolation=cv2.INTER_AREA),
    "too-small": lambda lesion, _: cv2.resize(lesion, (31, 40), interpolation=cv2.INTER_AREA),
    "two-lesions": lambda lesion, _: cv2.resize(np.hstack([lesion, lesion[::-1]]), (900, 340)),
    "at-the-edge": lambda lesion, _: np.ascontiguousarray(lesion[:, 300:]),
    "close-up": lambda lesion, _: np.ascontiguousarray(lesion[180:270, 250:370]),
    "inverted": lambda lesion, _: 255 - lesion,
    "grey": lambda lesion, _: np.repeat(lesion.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
    "dark": lambda lesion, _: lesion // 6,
}


def _encoded(pixels: np.ndarray, file_format: str, turn: int = 1, **settings: Any) -> bytes:
    return _saved(Image.fromarray(pixels), file_format, turn, **settings)


def _saved(image: Image.Image, file_format: str, turn: int = 1, **settings: Any) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    file = io.BytesIO()
    image.save(file, file_format, **({"exif": exif} if turn > 1 else {}), **settings)
    return file.getvalue()


def _faded(pixels: np.ndarray) -> Image.Image:
    """Opaque on the left and transparent on the right."""
    height, width, _ = pixels.shape
    alpha = np.tile(np.linspace(255, 0, width).astype(np.uint8), (height, 1))
    return Image.fromarray(np.dstack([pixels, alpha]))


def _flipped(content: bytes) -> bytes:
    """One bit in the middle is another."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _grey_16_bit(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[:, :, 1].astype(np.uint16) * 257)


_ODD_FILES: dict[str, Callable[[np.ndarray], bytes]] = {
    "grey-8.png": lambda pixels: _saved(Image.fromarray(pixels[:, :, 1]), "png"),
    "grey-16.png": lambda pixels: _saved(_grey_16_bit(pixels), "png"),
    "palette.png": lambda pixels: _saved(Image.fromarray(pixels).quantize(64), "png"),
    "black-and-white.png": lambda pixels: _saved(Image.fromarray(pixels).convert("1"), "png"),
    "transparent.png": lambda pixels: _saved(_faded(pixels), "png"),
    "turned.png": lambda pixels: _encoded(pixels, "png", 6),
    "lossless.webp": lambda pixels: _encoded(pixels, "webp", lossless=True),
    "lossy.webp": lambda pixels: _encoded(pixels, "webp", quality=80),
    "turned.webp": lambda pixels: _encoded(pixels, "webp", 6, lossless=True),
    "pixels.bmp": lambda pixels: _encoded(pixels, "bmp"),
    "progressive.jpg": lambda pixels: _encoded(pixels, "jpeg", progressive=True, quality=95),
    "grey.jpg": lambda pixels: _saved(Image.fromarray(pixels[:, :, 1]), "jpeg", quality=95),
    "cmyk.jpg": lambda pixels: _saved(Image.fromarray(pixels).convert("CMYK"), "jpeg", quality=95),
    "full-colour.jpg": lambda pixels: _encoded(pixels, "jpeg", quality=95, subsampling=0),
    "poor.jpg": lambda pixels: _encoded(pixels, "jpeg", quality=20),
    "first-page.gif": lambda pixels: _encoded(pixels, "gif"),
    "empty.png": lambda _: b"",
    "text.png": lambda _: b"no image at all, but text of some length",
    "damaged.png": lambda pixels: _flipped(_encoded(pixels, "png")),
    "cut-short.png": lambda pixels: _encoded(pixels, "png")[:-20000],
    "cut-short.jpg": lambda pixels: _encoded(pixels, "jpeg", quality=95)[:-8000],
}


def main() -> None:
    """Write golden files of the bundle that ships, or of another."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.web.golden", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=200, help="images (default: 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bundle", type=Path)
    given = parser.parse_args()
    images = islice(golden_images(given.seed), given.count)
    write_golden(load_bundle(given.bundle), given.folder, images)


if __name__ == "__main__":
    main()
