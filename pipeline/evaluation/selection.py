"""Which images of a dataset a bundle may be judged on."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.datasets.catalog import DatasetError
from data.splits import read_splits
from pipeline.bundle.loading import Bundle


class Selection(NamedTuple):
    """The images that an evaluation scores, the sentence that says which, and how many the bundle has learned from."""

    catalog: pd.DataFrame
    note: str
    seen: int = 0


def select_split(
    catalog: pd.DataFrame, bundle: Bundle, split: str = "test", splits_file: str | Path | None = None
) -> Selection:
    """Choose the images to score.

    Parameters
    ----------
    catalog : DataFrame with `image_id` and `lesion_id`
    bundle : its own split tells which images it was trained or chosen on
    split : "train", "validation", "test" or "all"
    splits_file : csv with `image_id` and `split` that is used in place of the bundle's

    Returns
    -------
    Selection
        For "test" without a file: every image whose lesion the bundle has not seen in training or validation, be it
        in the bundle's test split or new to it.

    Raises
    ------
    DatasetError : the split has no image in this catalog, or the file is no split.
    """
    recorded = read_splits(bundle.splits_path) if bundle.splits_path else None
    seen = _seen_lesions(catalog, recorded)
    if split == "all":
        chosen, note = np.full(len(catalog), True), "all images"
    elif splits_file is not None:
        chosen, note = _in_split(catalog, read_splits(splits_file), split), f"{split} split of {splits_file}"
    elif split == "test":
        chosen, note = ~seen, _unseen_note(recorded, seen)
    elif recorded is not None:
        chosen, note = _in_split(catalog, recorded, split), f"{split} split of the bundle"
    else:
        raise DatasetError(f"bundle {bundle.name} records no split; give a file with its {split} images.")
    if not chosen.any():
        raise DatasetError(f"no image is left to score ({note}); choose another split, or all.")
    known = int((seen & chosen).sum())
    if known:
        note += f"; the bundle was trained or chosen on {known} of them, which flatters it"
    return Selection(
        catalog[chosen].reset_index(drop=True), f"{chosen.sum()} of {len(catalog)}: {note}", known
    )


def _seen_lesions(catalog: pd.DataFrame, recorded: pd.DataFrame | None) -> np.ndarray:
    """Whether each image (N,) shows a lesion that training or validation saw, in this or in another image."""
    if recorded is None:
        return np.full(len(catalog), False)
    seen_images = recorded.loc[recorded["split"] != "test", "image_id"]
    seen_lesions = catalog.loc[catalog["image_id"].isin(seen_images), "lesion_id"]
    return catalog["lesion_id"].isin(seen_lesions).to_numpy()


def _unseen_note(recorded: pd.DataFrame | None, seen: np.ndarray) -> str:
    if recorded is None:
        return "all images; the bundle does not record which ones it was trained on"
    return f"the images that the bundle was not trained or chosen on; {seen.sum()} left out"


def _in_split(catalog: pd.DataFrame, splits: pd.DataFrame, split: str) -> np.ndarray:
    return catalog["image_id"].isin(splits.loc[splits["split"] == split, "image_id"]).to_numpy()
