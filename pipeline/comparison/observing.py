"""Observations: what every arm's classifiers say of the same images, as they are or perturbed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from classification.views import viewed
from data.files import replacing
from data.images import read_image, read_mask
from data.progress import tracked
from data.resizing import resize
from data.written_tables import read_written_table
from pipeline.comparison.arms import Arm
from pipeline.comparison.folder import ComparisonFolder
from pipeline.comparison.masks import FinderOf, describe_mask, reference_mask
from pipeline.comparison.perturbations import Perturbation

# uint8 image (S, S, 3) -> a row for each seed, (S, C) logits or (1, F) features.
Observer = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Observation:
    """What was seen under one condition.

    Attributes
    ----------
    values : for each arm, float32 array (seeds, images, classes) of logits, or (1, images, features)
    masks : DataFrame with what `describe_mask` tells of each image under the condition
    """

    values: Mapping[str, np.ndarray]
    masks: pd.DataFrame


def observe(
    folder: ComparisonFolder,
    condition: str,
    images: pd.DataFrame,
    arms: Sequence[Arm],
    observers: Mapping[str, Observer],
    *,
    side: int,
    seeds: int,
    finder_of: FinderOf,
    perturbation: Perturbation | None = None,
) -> Observation:
    """Show every image to every arm's classifiers; what the folder already has of it is not done again.

    Parameters
    ----------
    folder : ComparisonFolder
    condition : str
        The name under which it is kept.
    images : DataFrame
        N images with the columns of the catalog and of `Masks.table`.
    arms : trained arms
    observers : for each arm's name its classifiers
    side : pixels of the square that the observers take
    seeds : rows that each observer gives
    finder_of : as in `Masks`; finds the lesion anew in a perturbed image
    perturbation : Perturbation, optional

    Raises
    ------
    ImageError, DatasetError
    """
    kept = {arm.name: folder.load_array(condition, arm.name) for arm in arms}
    values = {
        name: array[:seeds] for name, array in kept.items() if array is not None and len(array) >= seeds
    }
    missing = [arm for arm in arms if arm.name not in values]
    masks_file = folder.observation_path(condition, "masks.csv")
    if missing or not masks_file.exists():
        rows: list[dict[str, Any]] = []
        seen: dict[str, list[np.ndarray]] = {arm.name: [] for arm in missing}
        for image in tracked(images.to_dict("records"), f"showing the images: {condition}"):
            pixels, mask, reference = _photograph(image, finder_of, perturbation)
            rows.append({"image_id": image["image_id"], **describe_mask(mask, reference)})
            for arm in missing:
                view = arm_view(arm, pixels, mask, reference, image["image_id"])
                seen[arm.name].append(observers[arm.name](resize(view, (side, side))))
        for name, of_images in seen.items():
            values[name] = np.stack(of_images, axis=1)
            folder.save_array(condition, name, values[name])
        with replacing(masks_file) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False)
    return Observation(values, read_written_table(masks_file))


def arm_view(
    arm: Arm, image: np.ndarray, mask: np.ndarray, reference: np.ndarray | None, image_id: str
) -> np.ndarray:
    """What an arm sees of an image, uint8 (h, w, 3), before it is resized; all of it where it lacks a mask."""
    if arm.masks == "reference":
        mask = np.zeros(image.shape[:2], bool) if reference is None else reference
    return np.ascontiguousarray(viewed(image, mask, arm.view, arm.margin, image_id))


def _photograph(
    image: Mapping[Any, Any], finder_of: FinderOf, perturbation: Perturbation | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Pixels, the found mask and the dataset's mask of an image under a condition."""
    pixels, mask = read_image(image["image_path"]), read_mask(image["found_path"])
    reference = reference_mask(image["mask_path"], mask)
    if perturbation is None:
        return pixels, mask, reference
    pixels, reference = perturbation(pixels, reference, image["image_id"])
    return pixels, finder_of(image["fold"])(pixels), reference
