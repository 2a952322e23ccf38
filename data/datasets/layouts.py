"""The forms in which datasets come, each recognised by its files.

A layout is a name, what it looks for, and a function that returns the rows of the dataset, one a listed
image, or None where the files do not fit. To add one, write the function and put it into `LAYOUTS`; the first
that fits is taken. Rows need an `image_id` and hold what the layout knows of the catalog's columns. The rest
is common to all layouts and is done in `datasets.py`: finding the image and mask of a row, turning labels into
codes, and adding what further tables say.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

import pandas as pd

from data.datasets.errors import DatasetError
from data.datasets.labels import is_known_label
from data.datasets.listing import DatasetFiles, image_ids
from data.datasets.one_hot import one_hot_rows
from data.datasets.own_split import split_of_folder
from data.datasets.tables import MOST_BYTES, Table
from data.regular_files import read_regular_file

# Folders that hold images of all classes.
GENERIC_FOLDERS = frozenset(
    {"images", "image", "img", "imgs", "photos", "pictures", "data", "dataset", "input"}
)

PH2_TABLE = "ph2_dataset.txt"
PH2_DIAGNOSES = {"0": "nv", "1": "nv", "2": "mel"}


@dataclass(frozen=True)
class Layout:
    """One form in which datasets come."""

    name: str
    looks_for: str
    rows: Callable[[DatasetFiles], pd.DataFrame | None]


def ham10000(files: DatasetFiles) -> pd.DataFrame | None:
    """HAM10000 as Dataverse and Kaggle ship it, the images in one folder or in two parts."""
    return _labelled_rows(
        table for table in files.tables if table.path.name.lower().startswith("ham10000_metadata")
    )


def ph2(files: DatasetFiles) -> pd.DataFrame | None:
    """PH2, whose table has cells between `||`; common and atypical naevus are both `nv`."""
    path = next((path for path in files.others if path.name.lower() == PH2_TABLE), None)
    if path is None:
        return None
    cells = _ph2_cells(path)
    header = next((row for row in cells if row[0].lower() == "name"), [])
    if "Clinical Diagnosis" not in header:
        return None
    column = header.index("Clinical Diagnosis")
    rows = [row for row in cells[cells.index(header) + 1 :] if len(row) > column]
    return pd.DataFrame(
        {"image_id": [row[0] for row in rows], "dx": [PH2_DIAGNOSES.get(row[column]) for row in rows]},
        dtype=object,
    )


def isic_one_hot(files: DatasetFiles) -> pd.DataFrame | None:
    """ISIC 2018 task 3 and ISIC 2019: a csv with a column of zeros and ones a class."""
    parts = [rows for table in files.tables if (rows := one_hot_rows(table)) is not None]
    return pd.concat(parts, ignore_index=True) if parts else None


def isic_2017_part_3(files: DatasetFiles) -> pd.DataFrame | None:
    """ISIC 2017 part 3: melanoma, seborrhoeic keratosis (`bkl`), and where it is neither, naevus."""
    parts = []
    for table in files.tables:
        if {"melanoma", "seborrheic_keratosis"}.issubset(table.columns):
            frame = table.read()
            flags = frame[["melanoma", "seborrheic_keratosis"]].apply(pd.to_numeric, errors="coerce")
            dx = pd.Series("nv", index=frame.index, dtype=object)
            dx = dx.mask(flags["seborrheic_keratosis"] == 1, "bkl").mask(flags["melanoma"] == 1, "mel")
            parts.append(frame.assign(dx=dx.where(flags.notna().all(axis=1))))
    return pd.concat(parts, ignore_index=True) if parts else None


def images_and_table(files: DatasetFiles) -> pd.DataFrame | None:
    """Images anywhere in the folder and a csv with at least the columns `image` and `dx`."""
    return _labelled_rows(files.tables)


def class_folders(files: DatasetFiles) -> pd.DataFrame | None:
    """One folder a class: folders with the code or name of a diagnosis, and the folders beside these."""
    ancestors = [PurePosixPath(name).parents[:-1] for name in files.images.names]
    beside = {folder.parent for folder in set(chain(*ancestors)) if is_known_label(folder.name)}
    labelled = [
        (name, next(folder.name for folder in folders if folder.parent in beside))
        for name, folders in zip(files.images.names, ancestors, strict=True)
        if beside.intersection(folder.parent for folder in folders)
    ]
    if not labelled:
        return None
    names, labels = zip(*labelled, strict=True)
    return pd.DataFrame({"image_id": image_ids(names), "dx": labels}, dtype=object)


def own_class_folders(files: DatasetFiles) -> pd.DataFrame | None:
    """One folder a class, whatever these are called: all images in two or more side by side."""
    if files.masks.paths:
        return None
    folders = [folder for name in files.images.names if (folder := _class_folder(name))]
    whole = len(folders) == len(files.images.names) and len(set(folders)) > 1
    if not whole or GENERIC_FOLDERS.intersection(map(str.casefold, folders)):
        return None
    return pd.DataFrame({"image_id": image_ids(files.images.names), "dx": folders}, dtype=object)


def _class_folder(name: str) -> str | None:
    """The outermost folder of an image that is not one of a split; None where it lies in none."""
    folders = [part for part in name.split("/")[:-1] if split_of_folder(part) is None]
    return folders[0] if folders else None


def images_and_masks(files: DatasetFiles) -> pd.DataFrame | None:
    """ISIC 2016 to 2018 segmentation, or any folder whose masks are named after its images."""
    ids = list(dict.fromkeys(Path(name).stem for name in files.images.names))
    if all(files.masks.find(image_id) is None for image_id in ids):
        return None
    return pd.DataFrame({"image_id": ids}, dtype=object)


LAYOUTS = (
    Layout("HAM10000", "HAM10000_metadata.csv with image_id and dx", ham10000),
    Layout("PH2", "PH2_dataset.txt", ph2),
    Layout("ISIC classification", "a csv with image and columns of 0 and 1 (MEL, NV, ...)", isic_one_hot),
    Layout("ISIC 2017 part 3", "a csv with image_id, melanoma and seborrheic_keratosis", isic_2017_part_3),
    Layout("images and a csv", "a csv with at least image and dx", images_and_table),
    Layout("one folder a class", "folders named malignant, benign or a diagnosis", class_folders),
    Layout(
        "images and masks",
        "images with masks named after them (images/ + masks/, *_segmentation.png)",
        images_and_masks,
    ),
    Layout(
        "one folder a class, with names of your own",
        "two or more folders side by side with all images in them, and no masks",
        own_class_folders,
    ),
)


def _labelled_rows(tables: Iterable[Table]) -> pd.DataFrame | None:
    parts = [table.read() for table in tables if "dx" in table.columns]
    if not parts:
        return None
    rows = pd.concat(parts, ignore_index=True).dropna(subset="image_id")
    return rows.assign(image_id=image_ids(list(rows["image_id"])))


def _ph2_cells(path: Path) -> list[list[str]]:
    try:
        lines = read_regular_file(path, MOST_BYTES).decode("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DatasetError(f"{path}: can't be read ({error.strerror}); mend or remove it.") from error
    return [[cell.strip() for cell in line.strip().strip("|").split("||")] for line in lines if "||" in line]
