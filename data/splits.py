"""Splits that do not leak: grouped by lesion, near-duplicates kept together, stratified by class."""

import io
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from data.datasets.errors import DatasetError
from data.files import replacing
from data.leaks import SPLITS, check_leaks, splits_of_images
from data.near_duplicates import NEAR_DUPLICATE_BITS, near_duplicate_pairs
from data.regular_files import read_regular_file

__all__ = [
    "SPLITS",
    "extend_splits",
    "image_groups",
    "read_splits",
    "split_by_lesion",
    "split_dataset",
    "training_parts",
    "write_splits",
]

DEFAULT_FRACTIONS = (0.7, 0.15, 0.15)
FOLDS = 20
MOST_BYTES = 500_000_000


def split_by_lesion(
    catalog: pd.DataFrame,
    hashes: np.ndarray | None = None,
    fractions: tuple[float, float, float] = DEFAULT_FRACTIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """Assign every image to train, validation or test.

    Parameters
    ----------
    catalog : DataFrame
        With `image_id`, `lesion_id` and `dx`.
    hashes : array (N, 32) uint8, optional
        Perceptual hashes of the images, from `perceptual_hashes`; images whose hashes are close stay together as if
        they showed one lesion. Without it only `lesion_id` groups.
    fractions : three floats
        Of train, validation and test; rounded to twentieths (or less in a small dataset), because the split joins
        the folds of a `StratifiedGroupKFold`. Validation and test get one fold at the least, and the folds that
        bring them every class that has lesions enough.
    seed : int

    Returns
    -------
    DataFrame with `image_id`, `split` and `group` (the number of the set of images that must stay together).
    """
    groups = image_groups(catalog["lesion_id"], hashes)
    labels = catalog["dx"].fillna("missing").to_numpy(str)
    folds = _stratified_folds(labels, groups, seed)
    split = _parts_of_folds(folds, labels, fractions)[folds]
    return pd.DataFrame({"image_id": catalog["image_id"].to_numpy(), "split": split, "group": groups})


def split_dataset(catalog: pd.DataFrame, hashes: np.ndarray | None = None, seed: int = 0) -> pd.DataFrame:
    """The split that the dataset's own folders make, without what would leak, or else one by lesion.

    Where the folders have no validation, a part of the training images serves for it; images of other sources train.

    Parameters
    ----------
    catalog : DataFrame with `image_id`, `lesion_id`, `dx` and `own_split`
    hashes, seed : as in `split_by_lesion`

    Returns
    -------
    DataFrame with `image_id`, `split` and `group`, without training images that show a lesion of validation or test
    or are a near-duplicate of one
    """
    if "own_split" not in catalog or catalog["own_split"].isna().all():
        return split_by_lesion(catalog, hashes, seed=seed)
    own = catalog.loc[catalog["own_split"].notna(), ["image_id", "own_split"]]
    splits = extend_splits(own.rename(columns={"own_split": "split"}), catalog, hashes)
    if splits["split"].eq("validation").any():
        return splits
    train = splits["split"].eq("train").to_numpy()
    members = catalog[catalog["image_id"].isin(splits.loc[train, "image_id"])]
    own_hashes = None if hashes is None else hashes[catalog["image_id"].isin(members["image_id"]).to_numpy()]
    chosen = split_by_lesion(members.reset_index(drop=True), own_hashes, seed=seed)
    validation = chosen.loc[chosen["split"] == "validation", "image_id"]
    splits.loc[splits["image_id"].isin(validation), "split"] = "validation"
    return splits


def extend_splits(
    splits: pd.DataFrame, catalog: pd.DataFrame, hashes: np.ndarray | None = None
) -> pd.DataFrame:
    """Give the images that a split does not list to training, and leave out what would leak.

    Parameters
    ----------
    splits : DataFrame with `image_id` and `split`
    catalog : DataFrame with `image_id` and `lesion_id`
        The images of all sources, those of `splits` among them.
    hashes : array (N, 32) uint8, optional
        Perceptual hashes of the catalog's images.

    Returns
    -------
    DataFrame with `image_id`, `split` and `group`
        A row for each of the catalog's images but for the training images, listed or not, that show a lesion of
        validation or test, or are a near-duplicate of one, and for validation images that are so linked to test.
    """
    groups = image_groups(catalog["lesion_id"], hashes)
    split = catalog["image_id"].map(splits.set_index("image_id")["split"]).fillna("train").to_numpy()
    held_out, tested = np.isin(groups, groups[split != "train"]), np.isin(groups, groups[split == "test"])
    leaking = ((split == "train") & held_out) | ((split == "validation") & tested)
    extended = pd.DataFrame({"image_id": catalog["image_id"].to_numpy(), "split": split, "group": groups})
    kept: pd.DataFrame = extended[~leaking].reset_index(drop=True)
    return kept


def image_groups(
    lesion_ids: Iterable[str], hashes: np.ndarray | None = None, bits: int = NEAR_DUPLICATE_BITS
) -> np.ndarray:
    """Number (N,) of the set that an image belongs to: same lesion, or linked by a chain of near-duplicates."""
    lesions, _ = pd.factorize(np.asarray(list(lesion_ids), dtype=str))
    if hashes is None:
        return lesions
    first, second = near_duplicate_pairs(hashes, bits)
    links = coo_array(
        (np.ones(len(first)), (lesions[first], lesions[second])), shape=(lesions.max() + 1, lesions.max() + 1)
    )
    _, component = connected_components(links, directed=False)
    return np.asarray(component[lesions])


def read_splits(path: str | Path) -> pd.DataFrame:
    """Read a split from a csv with the columns `image_id` and `split`.

    Raises
    ------
    DatasetError
        If the file is none, names another split, or lists an image twice, be it in upper and lower case.
    """
    try:
        content = read_regular_file(path, MOST_BYTES)
        table = pd.read_csv(
            io.BytesIO(content),
            dtype=str,
            encoding="utf-8-sig",
            encoding_errors="replace",
            keep_default_na=False,
            na_values=[""],
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise DatasetError(
            f"{path} can't be read as a split: {reason}; give a csv with image_id and split."
        ) from error
    if not {"image_id", "split"} <= set(table.columns):
        raise DatasetError(
            f"{path} lacks the columns image_id and split; give a csv that `lesion train` has written."
        )
    table = table.dropna(how="all").reset_index(drop=True)
    unknown = sorted(set(table["split"].dropna()) - set(SPLITS))
    if unknown or table["split"].isna().any():
        raise DatasetError(
            f"{path} has splits other than {', '.join(SPLITS)}: {', '.join(unknown[:5]) or 'empty'}; "
            "name one of them in every row."
        )
    if table["image_id"].isna().any():
        raise DatasetError(f"{path} has a row without an image_id; name the image, or remove the row.")
    folded = table["image_id"].str.casefold()
    if folded.duplicated().any():
        twice = table.loc[folded.duplicated(), "image_id"].iloc[0]
        raise DatasetError(f"{path} lists {twice} twice; keep one row an image.")
    return table


def write_splits(splits: pd.DataFrame, path: str | Path) -> None:
    """Write a split as csv, in one step."""
    with replacing(path) as temporary:
        splits.to_csv(temporary, index=False)


def joined_splits(*splits: pd.DataFrame) -> pd.DataFrame:
    """Every image that is in one of the splits, with the part that taught most: train, then validation, then test."""
    joined = pd.concat(splits)
    joined = joined[[name for name in ("image_id", "split", "lesion_id") if name in joined]]
    return (
        joined.assign(order=joined["split"].map(SPLITS.index))
        .sort_values(["image_id", "order"])
        .drop_duplicates("image_id")
        .drop(columns="order")
    )


def training_parts(catalog: pd.DataFrame, splits: pd.DataFrame, needed: str) -> dict[str, pd.DataFrame]:
    """The catalog's rows of "train" and of "validation", each with a RangeIndex.

    Images that the split does not list are left out. Raises DatasetError where a part is empty or the same lesion lies
    in several; `needed` names what the images must have.
    """
    check_leaks(catalog, splits)
    images = catalog.drop(columns="split", errors="ignore")
    images = images.assign(split=splits_of_images(catalog["image_id"], splits).to_numpy())
    parts = {name: images[images["split"] == name].reset_index(drop=True) for name in SPLITS[:2]}
    for name, part in parts.items():
        if part.empty:
            raise DatasetError(
                f"the {name} split has no image with a {needed}; give more images or other --splits."
            )
    return parts


def _stratified_folds(labels: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    count = min(FOLDS, np.unique(labels, return_counts=True)[1].max(), len(np.unique(groups)))
    if count < len(SPLITS):
        raise DatasetError("The dataset has too few lesions for a split in three; add images.")
    folds = np.zeros(len(labels), int)
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for fold, (_, members) in enumerate(splitter.split(labels, labels, groups)):
            folds[members] = fold
    return folds


def _parts_of_folds(
    folds: np.ndarray, labels: np.ndarray, fractions: tuple[float, float, float]
) -> np.ndarray:
    """Part of every fold: each class in all three where it lies in three folds, and else rather in training."""
    classes, class_of_image = np.unique(labels, return_inverse=True)
    holds = np.zeros((folds.max() + 1, len(classes)), bool)
    holds[folds, class_of_image] = True
    parts = np.full(len(holds), SPLITS[0], dtype=object)
    for name, fraction, later_parts in (("test", fractions[2], 2), ("validation", fractions[1], 1)):
        for _ in range(max(1, round(fraction * len(holds)))):
            free = parts == SPLITS[0]
            lacking = ~holds[parts == name].any(axis=0)
            to_spare = holds[free].sum(axis=0) > later_parts
            gain = (holds & lacking & to_spare).sum(axis=1) - len(classes) * (holds & ~to_spare).sum(axis=1)
            parts[np.argmax(np.where(free, gain, -np.inf))] = name
    return parts
