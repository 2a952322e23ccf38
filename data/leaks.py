"""Whether a split keeps apart what belongs together."""

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd

from data.datasets.errors import DatasetError, DatasetWarning
from data.datasets.listing import without_suffix
from data.near_duplicates import near_duplicate_pairs

SPLITS = ("train", "validation", "test")


def splits_of_images(image_ids: Iterable[str], splits: pd.DataFrame) -> pd.Series:
    """Split (N,) of every image, None where it is not listed.

    An image is found by its id whatever the case of the letters, and else by the id without folders and suffix. Where
    several listed images are called so, one in training counts before one in validation, and that before one in test.

    Parameters
    ----------
    image_ids : iterable of N str
    splits : DataFrame with `image_id` and `split`
    """
    listed = splits.assign(order=splits["split"].map(SPLITS.index)).sort_values("order", kind="stable")
    exact = dict(zip(listed["image_id"].str.casefold()[::-1], listed["split"][::-1], strict=True))
    bare = dict(zip(listed["image_id"].map(_bare)[::-1], listed["split"][::-1], strict=True))
    found = [exact.get(image.casefold()) or bare.get(_bare(image)) for image in image_ids]
    return pd.Series(found, dtype=object)


def _bare(image_id: str) -> str:
    return without_suffix(image_id.replace("\\", "/").rpartition("/")[2]).casefold()


def splits_for(catalog: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """A split of a catalog's listed images by the catalog's own ids: `image_id`, `split` and `lesion_id`.

    The lesions are kept so that a later dataset with other images of them is known to show what was trained on.
    """
    images = catalog[["image_id", "lesion_id"]].assign(
        split=splits_of_images(catalog["image_id"], splits).to_numpy()
    )
    listed: pd.DataFrame = images.dropna(subset="split")[["image_id", "split", "lesion_id"]]
    return listed.reset_index(drop=True)


def check_leaks(catalog: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Raise DatasetError, with their names, where lesions lie in more than one part of a split.

    Parameters
    ----------
    catalog : DataFrame with `image_id` and `lesion_id`
    splits : DataFrame with `image_id` and `split`
    """
    parts = splits_of_images(catalog["image_id"], splits).to_numpy()
    images = pd.DataFrame(
        {"lesion": catalog["lesion_id"].to_numpy(), "image": catalog["image_id"].to_numpy(), "split": parts}
    ).dropna()
    firsts = images.drop_duplicates(["lesion", "split"])
    leaking = firsts[firsts.duplicated("lesion", keep=False)]
    names = leaking["lesion"].unique()
    if not len(names):
        return
    said = []
    for name in names[:3]:
        places = leaking[leaking["lesion"] == name]
        said.append(f"{name} ({', '.join(places['image'] + ' in ' + places['split'])})")
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    raise DatasetError(
        f"the split has the same lesion in several parts: {'; '.join(said)}{more}; "
        "keep all images of a lesion in one part."
    )


def warn_of_near_duplicates(catalog: pd.DataFrame, splits: pd.DataFrame, hashes: np.ndarray) -> None:
    """Warn (DatasetWarning) where images of different parts of a split look alike.

    Parameters
    ----------
    catalog : DataFrame with `image_id`, N rows
    splits : DataFrame with `image_id` and `split`
    hashes : array (N, 32) uint8
        Perceptual hashes of the catalog's images.
    """
    parts = splits_of_images(catalog["image_id"], splits).to_numpy()
    first, second = near_duplicate_pairs(hashes)
    leaking = [
        (one, other)
        for one, other in zip(first, second, strict=True)
        if parts[one] and parts[other] and parts[one] != parts[other]
    ]
    if not leaking:
        return
    ids = catalog["image_id"].to_numpy()
    one, other = leaking[0]
    more = f" and {len(leaking) - 1} more pairs" if len(leaking) > 1 else ""
    warnings.warn(
        f"the split has images that look alike in different parts: {ids[one]} in {parts[one]} and {ids[other]} in "
        f"{parts[other]}{more}; figures on them flatter, so keep such images in one part.",
        DatasetWarning,
        stacklevel=2,
    )


def seen_lesions(catalog: pd.DataFrame, splits: pd.DataFrame | None) -> np.ndarray:
    """Whether each image (N,) shows a lesion that a model of these splits was trained or chosen on, in any image.

    Images are found as in `splits_of_images`, and lesions by their ids in any case of letters, where the splits have
    the column `lesion_id`.
    """
    if splits is None:
        return np.full(len(catalog), False)
    seen = splits_of_images(catalog["image_id"], splits).isin(["train", "validation"]).to_numpy()
    lesions = catalog["lesion_id"].str.casefold()
    known = set(lesions[seen])
    if "lesion_id" in splits:
        known |= set(splits.loc[splits["split"] != "test", "lesion_id"].dropna().str.casefold())
    return np.asarray(lesions.isin(known)) | seen
