"""Folders of many images that take no room: links to real ones, with one broken file among them."""

import itertools
import sys
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
BROKEN = "000003_broken.jpg"


def image_files(folder: Path) -> list[Path]:
    """The images in a folder and all below it, in the order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def make_links(images: Path, count: int, folder: Path) -> int:
    """Links to a folder's images, over and over until there are enough; how many images are distinct."""
    paths = image_files(images)
    folder.mkdir(parents=True)
    for number, path in zip(range(count), itertools.cycle(paths), strict=False):
        (folder / f"{number:06d}_{path.name}").symlink_to(path.resolve())
    (folder / BROKEN).write_bytes(b"no image")
    return min(count, len(paths))


def predict_command(folder: Path, output: Path, *options: str) -> list[str]:
    """`lesion predict` of a folder, without pictures."""
    words = ["-m", "pipeline", "predict", folder, "--output", output, "--no-pictures", *options]
    return [sys.executable, *map(str, words)]
