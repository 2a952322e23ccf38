"""Folders of drawn images to predict, made in a moment."""

import os
import shutil
from pathlib import Path

# 600 x 450 pixels, as HAM10000's; they come with the software.
EXAMPLES = Path(__file__).parents[2] / "data" / "examples" / "images"


def example_images() -> list[Path]:
    """The distinct images, in a fixed order."""
    return sorted(EXAMPLES.glob("*.jpg"))


def fill_folder(folder: Path, count: int) -> Path:
    """Make a folder of `count` images: hard links to copies of the distinct ones, which take turns.

    Parameters
    ----------
    folder : Path
        A new folder; the copies lie beside it.
    count : int

    Returns
    -------
    Path
        The folder.
    """
    folder.mkdir(parents=True)
    originals = [_copy(image, folder.parent / "originals") for image in example_images()]
    for number in range(count):
        original = originals[number % len(originals)]
        _link(original, folder / f"{number:06d}.jpg")
    return folder


def _copy(image: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    copy = folder / image.name
    if not copy.exists():
        shutil.copyfile(image, copy)
    return copy


def _link(original: Path, path: Path) -> None:
    try:
        os.link(original, path)
    except OSError:  # the file system has no hard links, or no more of them for one file
        shutil.copyfile(original, path)
