"""Paths, folders and globs -> image files, told from masks by their names."""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})

MASK_ENDINGS = ("_segmentation", "_mask")
PH2_MASK_ENDING = "_lesion"
_MASK_FOLDERS = re.compile(r"masks?|segmentations?|.*(ground_?truth|segmentations_).*")
_IMAGE_FOLDERS = re.compile(r"images?|.*_(data|input)")
_NEITHER = re.compile(r".*(_superpixels|_attribute_.*)")


def find_images(paths: Iterable[str | Path]) -> list[Path]:
    """Expand files, folders and globs into image files, each once.

    A folder stands for all files under it with an image's suffix, sorted, without a dataset's masks, hidden files
    and the `__MACOSX` folders of archives. A file that is named is always taken, and so is a path that does not
    exist: reading it then says what is wrong with it.
    """
    found = [image for path in paths for match in _expand_glob(path) for image in _expand_folder(match)]
    return list(dict.fromkeys(found))


def visible_files(folder: str | Path) -> Iterator[Path]:
    """All files under a folder in sorted order, without hidden ones (`.name`, `._name`) and `__MACOSX`.

    Linked folders are followed, each folder once.
    """
    seen = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def is_image_name(path: str | Path) -> bool:
    """Whether a file's suffix is one of an image, in lower or upper case."""
    return os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122 - asked of tens of thousands of names


def picture_kind(path: Path) -> Literal["image", "mask", "neither"]:
    """What a picture is, by its name and folders inside a dataset: some releases hold superpixels and regions too."""
    stem = path.stem.casefold()
    folders = [folder.casefold() for folder in path.parts[:-1]]
    if _NEITHER.fullmatch(stem) or any(folder.endswith("_roi") for folder in folders):
        return "neither"
    if stem.endswith(MASK_ENDINGS) or (stem.endswith(PH2_MASK_ENDING) and folders[-1:] == [stem]):
        return "mask"
    for folder in reversed(folders):
        if _IMAGE_FOLDERS.fullmatch(folder):
            return "image"
        if _MASK_FOLDERS.fullmatch(folder):
            return "mask"
    return "image"


def _expand_glob(path: str | Path) -> list[Path]:
    if Path(path).exists() or not glob.has_magic(str(path)):
        return [Path(path)]
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - takes absolute and relative patterns
    return [Path(match) for match in matches] or [Path(path)]


def _expand_folder(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [
        file
        for file in visible_files(path)
        if is_image_name(file) and picture_kind(file.relative_to(path)) == "image"
    ]
