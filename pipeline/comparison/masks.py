"""Masks for every image, from segmentation models that did not learn from that image where this can be had."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from data.datasets.catalog import DatasetError
from data.files import replacing, sha256
from data.images import read_image, read_mask
from data.leaks import seen_lesions
from data.progress import tracked
from data.splits import read_splits
from data.written_tables import read_written_table
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import Bundle
from pipeline.bundle.mask_finder import MaskFinder
from pipeline.comparison.config import ComparisonConfig
from pipeline.comparison.folder import ComparisonFolder, finished, started
from pipeline.comparison.models import announce_training, converted_run
from pipeline.reports.pictures import encoded
from segmentation.cropping import lesion_bounds
from segmentation.metrics import jaccard

LEAST_LESIONS_A_FOLD = 10
VALIDATION_FOLDS = 10

FinderOf = Callable[[int], MaskFinder]


@dataclass(frozen=True, eq=False)
class Masks:
    """Where the lesion is in every image.

    Attributes
    ----------
    table : DataFrame
        A row an image, in the catalog's order: `image_id`, `found_path` (the mask), `fold` (whose model found it),
        `found` and `reference_found` (whether it, and the dataset's mask, is a plausible lesion), `area` (of the
        lesion, as a part of the image: of the dataset's mask where there is one), `jaccard` (with the dataset's mask,
        or NaN) and `seen` (whether the model, or its choice, knew this lesion).
    finder_of : function (fold) -> MaskFinder
    source : a sentence for the reader
    """

    table: pd.DataFrame
    finder_of: FinderOf
    source: str


def mask_source(config: ComparisonConfig, catalog: pd.DataFrame) -> str:
    """ "cross-fitted" or "bundle", as the settings want it or as the dataset allows.

    Raises
    ------
    DatasetError : cross-fitting is asked for, and there are too few masks.
    """
    lesions = catalog.loc[catalog["mask_path"].notna(), "lesion_id"].nunique()
    enough = lesions >= LEAST_LESIONS_A_FOLD * config.folds
    if config.masks == "cross-fitted" and not enough:
        raise DatasetError(
            f"{lesions} lesions with a mask are too few to cross-fit a segmentation in {config.folds} folds; "
            "give --masks bundle."
        )
    if config.masks == "auto":
        return "cross-fitted" if enough else "bundle"
    return config.masks


def segmentation_identity(source: str, bundle: Bundle) -> str:
    """What tells one segmentation from another in `config.json`."""
    return source if source == "cross-fitted" else sha256(bundle.segmentation_path)


def cross_fitted_masks(
    folder: ComparisonFolder, catalog: pd.DataFrame, splits: pd.DataFrame, config: ComparisonConfig
) -> Masks:
    """Train a segmentation for each fold on the images of the others, and find the fold's lesions with it."""
    groups = image_groups(catalog, splits)
    folds = _folds(groups, config.folds, config.seed)
    models = [_fold_model(folder, catalog, groups, folds, fold, config) for fold in range(config.folds)]
    table = _find(folder, catalog, folds, models.__getitem__, seen=np.full(len(catalog), False))
    source = (
        f"Every lesion was found by a segmentation that was trained on other lesions (cross-fitting in {config.folds} "
        f"folds, {len(catalog)} images)."
    )
    return Masks(table, models.__getitem__, source)


def bundle_masks(folder: ComparisonFolder, catalog: pd.DataFrame, bundle: Bundle) -> Masks:
    """Find the lesions with a bundle's segmentation, and tell which of them it knew."""
    model = MaskFinder(LiteRTModel(bundle.segmentation_path), bundle.threshold)
    seen = seen_lesions(catalog, read_splits(bundle.splits_path) if bundle.splits_path else None)
    table = _find(folder, catalog, np.zeros(len(catalog), int), lambda _: model, seen)
    source = f"The lesions were found by the segmentation of the bundle {bundle.name}."
    if bundle.splits_path is None:
        source += (
            " It does not tell which images it was trained on; if these are among them, crops are flattered."
        )
    elif seen.any():
        named = ", ".join(catalog.loc[seen, "image_id"].head(5))
        source += (
            f" It was trained or chosen on {seen.sum()} of the {len(catalog)} images ({seen.mean():.0%}), such as "
            f"{named}; its masks of these are better than on new images, which flatters the crops. masks.csv names all."
        )
    return Masks(table, lambda _: model, source)


def image_groups(catalog: pd.DataFrame, splits: pd.DataFrame) -> np.ndarray:
    """Number (N,) of the set of images that must stay together: that of the split, or the lesion."""
    if "group" in splits:
        catalog = catalog.merge(splits[["image_id", "group"]].astype(str), on="image_id", how="left")
    return pd.factorize(catalog["group" if "group" in splits else "lesion_id"])[0]


def _folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    of_image = np.zeros(len(groups), int)
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    for fold, (_, members) in enumerate(splitter.split(groups, groups=groups)):
        of_image[members] = fold
    return of_image


def _fold_model(
    folder: ComparisonFolder,
    catalog: pd.DataFrame,
    groups: np.ndarray,
    folds: np.ndarray,
    fold: int,
    config: ComparisonConfig,
) -> MaskFinder:
    run = folder.fold_run(fold)
    if not finished(run):
        from segmentation.training import train  # noqa: PLC0415

        announce_training(f"the segmentation that finds the lesions of fold {fold + 1} of {config.folds}")
        learnt = (folds != fold) & catalog["mask_path"].notna().to_numpy()
        chosen = _at_most(np.flatnonzero(learnt), config.most_masks, config.seed)
        parts = _folds(groups[chosen], min(VALIDATION_FOLDS, len(np.unique(groups[chosen]))), config.seed)
        splits = pd.DataFrame({
            "image_id": catalog["image_id"].to_numpy()[chosen],
            "split": np.where(parts == 0, "validation", "train"),
        })  # fmt: skip
        metrics = train(
            catalog.iloc[chosen].reset_index(drop=True),
            config.segmentation,
            run.folder,
            splits=splits,
            resume=started(run),
        )
        if metrics["interrupted"]:
            raise KeyboardInterrupt
    return MaskFinder(LiteRTModel(converted_run(run)), run.metrics["threshold"])


def _at_most(positions: np.ndarray, most: int, seed: int) -> np.ndarray:
    if not most or len(positions) <= most:
        return positions
    return np.sort(np.random.default_rng(seed).choice(positions, most, replace=False))


def _find(
    folder: ComparisonFolder,
    catalog: pd.DataFrame,
    folds: np.ndarray,
    finder_of: FinderOf,
    seen: np.ndarray,
) -> pd.DataFrame:
    """Find and keep the mask of every image that has none yet, and tell how good each is."""
    if not folder.masks_path.exists():
        rows = []
        images = catalog[["image_id", "image_path", "mask_path"]].assign(fold=folds, seen=seen)
        for image in tracked(images.to_dict("records"), "finding the lesions"):
            file = folder.mask_path(image["image_id"])
            if not file.exists():
                _write_mask(finder_of(image["fold"])(read_image(image["image_path"])), file)
            mask = read_mask(file)
            described = describe_mask(mask, reference_mask(image["mask_path"], mask))
            rows.append({**{name: image[name] for name in ("image_id", "fold", "seen")}, **described})
        with replacing(folder.masks_path) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False)
    table = read_written_table(folder.masks_path)
    return table.assign(found_path=[str(folder.mask_path(image_id)) for image_id in table["image_id"]])


def describe_mask(mask: np.ndarray, reference: np.ndarray | None) -> dict[str, Any]:
    """`found`, `reference_found`, `area` and `jaccard` of a mask, as in `Masks.table`."""
    return {
        "found": lesion_bounds(mask) is not None,
        "reference_found": reference is not None and lesion_bounds(reference) is not None,
        "area": float((mask if reference is None else reference).mean()),
        "jaccard": np.nan if reference is None else jaccard(mask, reference),
    }


def reference_mask(path: object, mask: np.ndarray) -> np.ndarray | None:
    """The dataset's mask of an image, or None; raises DatasetError where it is not of the image's size."""
    if not isinstance(path, str):
        return None
    reference = read_mask(path)
    if reference.shape != mask.shape:
        raise DatasetError(f"{path}: the mask has another size than its image; give a mask of the same size.")
    return reference


def _write_mask(mask: np.ndarray, file: Path) -> None:
    with replacing(file) as temporary:
        temporary.write_bytes(encoded(mask.astype(np.uint8) * 255, ".png"))
