"""How often the images of each source are drawn in training: a large source need not drown a small one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from data.datasets.errors import DatasetError

LARGEST_WEIGHT = 100.0


def parse_source_weights(listed: str) -> dict[str, float]:
    """`FOLDER=WEIGHT`, with commas between.

    Raises
    ------
    ValueError
        In words for the user, if a part is not of that form, its weight is not over 0 and at most 100, or a folder
        comes twice.

    Examples
    --------
    >>> parse_source_weights("ISIC2018=2, ISIC2019=0.25")
    {'ISIC2018': 2.0, 'ISIC2019': 0.25}
    """
    weights: dict[str, float] = {}
    for part in listed.split(","):
        folder, _, value = part.strip().rpartition("=")
        name = folder.rstrip("/")
        try:
            weight = float(value)
        except ValueError:
            weight = 0.0
        if not name or not 0 < weight <= LARGEST_WEIGHT:
            raise ValueError(
                f"{part.strip()}: write FOLDER=WEIGHT with a weight over 0 and at most 100, as in ISIC2019=0.25."
            )
        if name in weights:
            raise ValueError(f"{name} has two weights; give one.")
        weights[name] = weight
    return weights


def weights_of_images(image_paths: Sequence[str], source_weights: Mapping[str, float]) -> np.ndarray | None:
    """Weight (N,) of every image in the draw, the product over the named folders that it lies in; None without names.

    Raises
    ------
    DatasetError
        If no image lies in a folder of a name.
    """
    if not source_weights:
        return None
    folders = [set(Path(path).absolute().parent.parts) for path in image_paths]
    weights = np.ones(len(folders))
    for name, weight in source_weights.items():
        inside = np.array([name in parts for parts in folders])
        if not inside.any():
            raise DatasetError(
                f"--source-weights names {name}, and no training image lies in a folder of this name; give the name "
                "of a dataset's folder, without its path."
            )
        weights[inside] *= weight
    return weights
