"""The selection of the images of a dataset that a bundle may be judged on."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.datasets.catalog import DatasetError
from data.leaks import check_leaks, seen_lesions, splits_of_images
from data.splits import read_splits
from pipeline.bundle.loading import Bundle


@dataclass(frozen=True, eq=False)
class Selection:
    """The images that an evaluation scores.

    Attributes
    ----------
    catalog : DataFrame
        The chosen images.
    split : "train", "validation", "test" or "all"
    of : int
        The images of the dataset.
    unseen : int
        Those of them whose lesion the bundle has not seen in training or validation, as far as it records that.
    seen : int
        Those of the chosen ones that it has seen, which flatters it.
    file : where the split was read; empty for the bundle's own
    recorded : whether the bundle tells which images it was trained on
    """

    catalog: pd.DataFrame
    split: str
    of: int
    unseen: int
    seen: int
    file: str = ""
    recorded: bool = True

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`: all but the images."""
        return {
            "images": len(self.catalog),
            **{field.name: getattr(self, field.name) for field in fields(self) if field.name != "catalog"},
        }

    @property
    def note(self) -> str:
        """One sentence, for people."""
        seen = (
            f"; the bundle was trained or chosen on {self.seen} of them, which flatters it"
            if self.seen
            else ""
        )
        return f"{len(self.catalog)} of {self.of}: {self._what}{seen}"

    @property
    def _what(self) -> str:
        if self.split == "all":
            return "all images"
        if self.file:
            return f"{self.split} split of {self.file}"
        if self.split != "test":
            return f"{self.split} split of the bundle"
        if not self.recorded:
            return "all images; the bundle does not record which ones it was trained on"
        return f"the images that the bundle was not trained or chosen on; {self.of - self.unseen} left out"


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
        An image is known by its id in any case of letters, with or without folders and suffix.
        For "test" without a file: every image whose lesion the bundle has not seen in training or validation, be it
        in the bundle's test split or new to it.

    Raises
    ------
    DatasetError : the split has no image in this catalog, or the file is no split or has a lesion in several parts.
    """
    recorded = read_splits(bundle.splits_path) if bundle.splits_path else None
    seen = seen_lesions(catalog, recorded)
    if split == "all":
        chosen = np.full(len(catalog), True)
    elif splits_file is not None:
        given = read_splits(splits_file)
        check_leaks(catalog, given)
        chosen = _in_split(catalog, given, split)
    elif split == "test":
        chosen = ~seen
    elif recorded is not None:
        chosen = _in_split(catalog, recorded, split)
    else:
        raise DatasetError(f"bundle {bundle.name} records no split; give a file with its {split} images.")
    selection = Selection(
        catalog=catalog[chosen].reset_index(drop=True),
        split=split,
        of=len(catalog),
        unseen=int((~seen).sum()),
        seen=int((seen & chosen).sum()),
        file="" if splits_file is None or split == "all" else str(splits_file),
        recorded=recorded is not None,
    )
    if not chosen.any():
        raise DatasetError(f"no image is left to score ({selection.note}); choose another split, or all.")
    return selection


def _in_split(catalog: pd.DataFrame, splits: pd.DataFrame, split: str) -> np.ndarray:
    return np.asarray(splits_of_images(catalog["image_id"], splits) == split)
