"""A split that a dataset brings along, as folders called train, validation and test."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

FOLDERS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


def split_of_folder(name: str) -> str | None:
    """What a folder of this name holds: "train", "validation", "test", or None where it says nothing of that."""
    return FOLDERS.get(name.casefold())


def splits_of_paths(root: Path, paths: Sequence[str | Path]) -> pd.Series:
    """Split (N,) of images by their folders under a dataset's root; None for all where the folders make no split.

    They make one where some images lie in a training folder, others in a validation or test folder, and none outside.
    """
    found = [
        next(
            (split for part in Path(path).relative_to(root).parts[:-1] if (split := split_of_folder(part))),
            None,
        )
        for path in paths
    ]
    whole = None not in found and "train" in found and len(set(found)) > 1
    return pd.Series(found if whole else [None] * len(found), dtype=object)
