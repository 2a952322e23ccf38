"""A dataset's folder -> the catalog: a table with one row an image."""

import filecmp
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data.datasets.errors import DatasetError, DatasetWarning
from data.datasets.faults import Fault, faults_of, stop_or_warn
from data.datasets.labels import diagnosis_code
from data.datasets.layouts import LAYOUTS
from data.datasets.listing import DatasetFiles, Pictures, image_ids, list_dataset
from data.datasets.own_split import splits_of_paths
from data.datasets.tables import Table
from data.images import image_size
from data.near_duplicates import same_picture

__all__ = [
    "CATALOG_COLUMNS",
    "DatasetError",
    "DatasetWarning",
    "RecognisedDataset",
    "load_dataset",
    "load_datasets",
    "recognise_dataset",
]

CATALOG_COLUMNS = (
    "image_id",
    "image_path",
    "mask_path",
    "dx",
    "lesion_id",
    "age",
    "sex",
    "localization",
    "dx_type",
    "own_split",
)
_DESCRIPTIONS = ("lesion_id", "age", "sex", "localization", "dx_type")


@dataclass(frozen=True)
class RecognisedDataset:
    """A dataset's files and what its publisher says about them.

    Attributes
    ----------
    layout : str
        The name of the layout that fits.
    files : DatasetFiles
        All images, masks and tables under the dataset's folder.
    rows : DataFrame
        One row a listed image with the columns `image_id`, `key` (the id in lower case), `mask_path` and the
        descriptive columns of the catalog. Rows may repeat an id and may lack a file.
    faults : tuple of Fault
        What is wrong with the tables.
    """

    layout: str
    files: DatasetFiles
    rows: pd.DataFrame
    faults: tuple[Fault, ...]


def load_dataset(path: str | Path) -> pd.DataFrame:
    """Recognise a dataset by its files and return its catalog.

    Parameters
    ----------
    path : str or Path
        The folder of the dataset, or a folder that holds it.

    Returns
    -------
    DataFrame
        One row an image that has a file, sorted by its unique `image_id`, with the columns `CATALOG_COLUMNS`.
        Paths are str, `age` is a float in years, and what the dataset does not know is None (NaN for ages).
        `own_split` is "train", "validation" or "test" where the images lie in folders of such names.
        A lesion that is not named is called after its image. Listed images without a file are left out,
        images without a row have no diagnosis, and of rows or files with the same id the first counts:
        `check_dataset` tells of all these.

    Raises
    ------
    DatasetError
        If the folder fits no layout, a table can't be read, a table of zeros and ones holds another value, tables
        contradict each other about an image's diagnosis, or no listed image has a file.

    Warns
    -----
    DatasetWarning
        Of tables that are not used, rows without exactly one class, and lesions that are missing or contradict.
    """
    dataset = recognise_dataset(path)
    stop_or_warn(path, dataset.faults)
    catalog = build_catalog(dataset)
    if dataset.rows["key"].isin(catalog["image_id"].str.casefold()).any():
        return catalog
    raise DatasetError(
        f"{path}: none of the {len(dataset.rows)} images listed in this {dataset.layout} dataset has a file; "
        "unpack the images into this folder."
    )


def load_datasets(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Join the catalogs of several datasets.

    An image that is in several of them is one row, with what any of the datasets knows about it; where its copies
    differ in size, the one with the most pixels counts. Lesions of the same id are one lesion.

    Raises
    ------
    DatasetError
        As `load_dataset`, and if two datasets use the same id for images that look different.
    ImageError
        If copies of an image must be compared and one can't be read.
    """
    catalog = pd.concat([load_dataset(path) for path in paths], ignore_index=True)
    catalog = _largest_copies_first(catalog)
    named = catalog.assign(lesion_id=catalog["lesion_id"].mask(catalog["lesion_id"] == catalog["image_id"]))
    return _finish(named.groupby("image_id", sort=True).first().reset_index())


def _largest_copies_first(catalog: pd.DataFrame) -> pd.DataFrame:
    """The catalog with the copies of an image in falling order of their pixels."""
    repeated = catalog[catalog.duplicated("image_id", keep=False)]
    pixels = np.zeros(len(catalog), int)
    for image_id, copies in repeated.groupby("image_id"):
        first, *others = copies["image_path"]
        if all(filecmp.cmp(first, other, shallow=False) for other in others):
            continue
        for other in others:
            if not same_picture(first, other):
                raise DatasetError(
                    f"{other}: is another image than {first}, yet both have the id {image_id}; rename one of them."
                )
        pixels[copies.index] = [math.prod(image_size(path)) for path in copies["image_path"]]
    return catalog.iloc[np.argsort(-pixels, kind="stable")]


def recognise_dataset(path: str | Path) -> RecognisedDataset:
    """List the files under a folder and read what the first fitting layout says about them.

    Raises
    ------
    DatasetError
        If the folder fits no layout or a table in it can't be read.
    """
    files = list_dataset(path)
    for layout in LAYOUTS:
        rows = layout.rows(files)
        if rows is not None and rows["image_id"].notna().any():
            rows = _normalise(rows, files)
            return RecognisedDataset(layout.name, files, rows, faults_of(files, rows))
    if not files.images.paths:
        raise DatasetError(f"{path}: holds no images; give the folder with the images and their table.")
    unused = "".join(f"; {path.name} {reason}" for path, reason in list(files.no_tables.items())[:3])
    looked_for = "; ".join(f"{layout.name}: {layout.looks_for}" for layout in LAYOUTS)
    raise DatasetError(
        f"{path}: is no dataset of a known layout, though it holds {len(files.images.paths)} images{unused}; add a "
        f"csv with the columns image and dx (looked for {looked_for})."
    )


def build_catalog(dataset: RecognisedDataset) -> pd.DataFrame:
    """The catalog of a recognised dataset, as `load_dataset` describes it."""
    images, masks = dataset.files.images, dataset.files.masks
    rows = dataset.rows.drop_duplicates("key", ignore_index=True)
    rows["image_path"] = _paths(images.find(image_id) for image_id in rows["image_id"])
    catalog = pd.concat([rows.dropna(subset="image_path"), _unlisted_images(dataset)], ignore_index=True)
    found = _paths(masks.find(image_id) for image_id in catalog["image_id"])
    catalog["mask_path"] = catalog["mask_path"].where(catalog["mask_path"].notna(), found)
    catalog["own_split"] = splits_of_paths(dataset.files.root, list(catalog["image_path"]))
    return _finish(catalog)


def _unlisted_images(dataset: RecognisedDataset) -> pd.DataFrame:
    """Rows for the images that no row of the dataset speaks of."""
    listed = {key.rpartition("/")[2] for key in dataset.rows["key"]}
    given_masks = set(dataset.rows["mask_path"].dropna())
    files = dataset.files.images
    ids = {
        Path(name).stem: path
        for name, path in reversed(list(zip(files.names, files.paths, strict=True)))
        if Path(name).stem.casefold() not in listed and path not in given_masks
    }
    return pd.DataFrame({"image_id": ids.keys(), "image_path": ids.values()}, dtype=object)


def _normalise(rows: pd.DataFrame, files: DatasetFiles) -> pd.DataFrame:
    """Bring a layout's rows into the catalog's words, and complete them from the tables beside."""
    rows = rows.dropna(subset="image_id").reset_index(drop=True)
    names = rows.get("mask", pd.Series(None, index=rows.index, dtype=object))
    rows["mask_path"] = _paths(_named_mask(name, files) for name in names)
    rows = rows.reindex(columns=["image_id", "mask_path", "dx", *_DESCRIPTIONS]).astype(object)
    rows["image_id"] = _one_id_a_file(image_ids(list(rows["image_id"])), files.images)
    rows["key"] = rows["image_id"].str.casefold()
    described = _descriptions(files.tables).reindex(rows["key"])
    for column in _DESCRIPTIONS:
        rows[column] = rows[column].where(rows[column].notna(), described[column].to_numpy())
    rows["dx"] = [diagnosis_code(label) if isinstance(label, str) and label else None for label in rows["dx"]]
    rows["age"] = pd.to_numeric(rows["age"], errors="coerce")
    for column in ("sex", "localization"):
        rows[column] = rows[column].mask(rows[column].str.lower() == "unknown")
    return rows


def _one_id_a_file(ids: list[str], images: Pictures) -> list[str]:
    """The ids, with the first that stands for a file in place of others that do: `7` and `images/7` may be one."""
    if not any("/" in image_id for image_id in ids):
        return ids
    found = {image_id: images.find(image_id) for image_id in ids}
    first: dict[Path, str] = {}
    for image_id, path in found.items():
        if path is not None:
            first.setdefault(path, image_id)
    return [image_id if (path := found[image_id]) is None else first[path] for image_id in ids]


def _paths(paths: Iterable[Path | None]) -> pd.Series:
    return pd.Series(list(paths), dtype=object)


def _named_mask(name: object, files: DatasetFiles) -> Path | None:
    """The mask that a table names by a path in the dataset's folder, or else by the name of the file."""
    if not isinstance(name, str) or not name:
        return None
    path = files.root / name
    if os.path.isfile(path):  # noqa: PTH113 - Path's raises where a name is too long
        return path
    return files.masks.find(image_ids([name])[0].rpartition("/")[2])


def _descriptions(tables: Sequence[Table]) -> pd.DataFrame:
    """What all tables together say about an image, by its id in lower case."""
    parts = [table.read() for table in tables if set(_DESCRIPTIONS).intersection(table.columns)]
    frame = pd.concat([pd.DataFrame(columns=["image_id", *_DESCRIPTIONS], dtype=object), *parts])
    frame = frame.dropna(subset="image_id")
    keys = pd.Index(image_ids(list(frame["image_id"])), dtype=object).str.casefold()
    return frame[list(_DESCRIPTIONS)].groupby(keys).first()


def _in_the_same_letters(lesion_ids: pd.Series) -> pd.Series:
    """Names that differ in upper and lower case alone are one lesion, by the name that comes first."""
    names: pd.Series = lesion_ids.astype(str)
    return names.groupby(names.str.casefold()).transform("first")


def _finish(catalog: pd.DataFrame) -> pd.DataFrame:
    """Order the columns and rows, name the unnamed lesions, and write None for what is not known."""
    catalog = catalog.reindex(columns=list(CATALOG_COLUMNS)).sort_values("image_id", ignore_index=True)
    catalog["lesion_id"] = catalog["lesion_id"].where(catalog["lesion_id"].notna(), catalog["image_id"])
    catalog["lesion_id"] = _in_the_same_letters(catalog["lesion_id"])
    for column in catalog.columns.drop("age"):
        texts = [None if pd.isna(value) else str(value) for value in catalog[column]]
        catalog[column] = pd.Series(texts, index=catalog.index, dtype=object)
    catalog["age"] = catalog["age"].astype(float)
    return catalog
