"""Paths, folders and globs -> image files, told from masks by their names."""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

from data.datasets.walking import visible_files

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp"})
# Of pictures that are not read; whose photograph is one of them should be told so.
FOREIGN_SUFFIXES = frozenset({".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl"})

MASK_ENDINGS = ("_segmentation", "_mask")
PH2_MASK_ENDING = "_lesion"
_MASK_FOLDERS = re.compile(r"masks?|segmentations?|.*(ground_?truth|segmentations_).*")
_IMAGE_FOLDERS = re.compile(r"images?|.*_(data|input)")
_NEITHER = re.compile(r".*(_superpixels|_attribute_.*)")


def find_images(paths: Iterable[str | Path]) -> list[Path]:
    """The list of what `stream_images` finds."""
    return list(stream_images(paths))


def is_image_name(path: str | Path) -> bool:
    """Whether a file's suffix is one of an image, in lower or upper case."""
    return os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122 - asked of tens of thousands of names


def is_foreign_picture(path: str | Path) -> bool:
    """Whether a file's suffix is one of a picture in a format that is not read."""
    return os.path.splitext(path)[1].lower() in FOREIGN_SUFFIXES  # noqa: PTH122 - as above


def stream_images(
    paths: Iterable[str | Path], is_image: Callable[[Path], bool] = is_image_name
) -> Iterator[Path]:
    """Expand files, folders and globs into image files, each once, one after the other as they are asked for.

    A folder stands for all files under it with an image's suffix, sorted, without a dataset's masks, hidden files
    and the `__MACOSX` folders of archives. A file that is named is always taken, and so is a path that does not
    exist, or a folder that can't be listed: reading it then says what is wrong with it. What is remembered is the names
    that were given or that a glob stands for, and never the files of a folder.

    Parameters
    ----------
    paths : iterable of str or Path
    is_image : function of a path
        Tells the images among the files of a folder.
    """
    named: set[Path] = set()
    folders: list[Path] = []
    for match in (match for path in paths for match in expand_glob(path)):
        is_folder = match.is_dir()
        for image in _images_under(match, is_image) if is_folder else [match]:
            if image not in named and not any(_stands_for(folder, image, is_image) for folder in folders):
                yield image
        if is_folder:
            folders.append(match)
        else:
            named.add(match)


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


def expand_glob(path: str | Path) -> list[Path]:
    """The paths that a glob stands for, sorted; the path itself where it exists or no glob matches."""
    if os.path.lexists(path) or not glob.has_magic(str(path)):
        return [Path(path)]
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - takes absolute and relative patterns
    return [Path(match) for match in matches] or [Path(path)]


def _images_under(folder: Path, is_image: Callable[[Path], bool]) -> Iterator[Path]:
    closed: list[Path] = []
    yield from (file for file in visible_files(folder, closed.append) if _is_image_of(folder, file, is_image))
    yield from closed


def _is_image_of(folder: Path, file: Path, is_image: Callable[[Path], bool]) -> bool:
    return is_image(file) and picture_kind(file.relative_to(folder)) == "image"


def _stands_for(folder: Path, file: Path, is_image: Callable[[Path], bool]) -> bool:
    """Whether a folder that was given has brought this file, too."""
    if not file.is_relative_to(folder) or not _is_image_of(folder, file, is_image):
        return False
    return not any(part.startswith(".") or part == "__MACOSX" for part in file.relative_to(folder).parts)
