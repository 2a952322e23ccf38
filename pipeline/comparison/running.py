"""The run of a comparison, from a catalog to the figures: masks, classifiers, observations, statistics."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from classification.labelled import labelled_images
from data.datasets.catalog import DatasetError
from data.datasets.diagnoses import classes_of
from data.intervals import mean_interval
from data.leaks import check_leaks, splits_for, warn_of_near_duplicates
from data.near_duplicates import perceptual_hashes
from data.splits import SPLITS, read_splits, split_dataset
from pipeline.bundle.loading import Bundle
from pipeline.comparison.analysis import (
    TEST,
    Outcomes,
    arm_figures,
    compare_arms,
    prediction_table,
    stratify,
    under_conditions,
    with_averages,
)
from pipeline.comparison.arms import BASELINE, Arm, main_arm, trained_arms
from pipeline.comparison.classifiers import fit_quickly, train_arms
from pipeline.comparison.config import ComparisonConfig
from pipeline.comparison.crops import differing_crops, poor_masks
from pipeline.comparison.folder import ComparisonFolder, start_folder
from pipeline.comparison.masks import (
    Masks,
    bundle_masks,
    cross_fitted_masks,
    mask_source,
    segmentation_identity,
)
from pipeline.comparison.models import announce
from pipeline.comparison.observing import Observation, Observer, observe
from pipeline.comparison.perturbations import PERTURBATIONS
from pipeline.comparison.results import Comparison
from pipeline.comparison.verdict import DECIDING_FIGURE, decide, rule, void
from segmentation.engine.starting import check_phases

FEW_LESIONS = 10


def compare(
    catalog: pd.DataFrame,
    config: ComparisonConfig,
    output: str | Path,
    bundle: Bundle,
    *,
    splits: pd.DataFrame | None = None,
    facts: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare the arms on a labelled dataset; go on where an earlier call with the same settings stopped.

    Parameters
    ----------
    catalog : DataFrame
        From `load_dataset` or `load_datasets`; images without a diagnosis are left out.
    config : ComparisonConfig
    output : path
        The folder that keeps what was trained and predicted.
    bundle : Bundle
        Finds the lesions where the dataset has too few masks to cross-fit a segmentation.
    splits : DataFrame, optional
        With `image_id` and `split`; by default a split by lesion, near-duplicates together.
    facts : mapping, optional
        What the report says beside its own facts, such as the command.

    Raises
    ------
    DatasetError, ImageError, RunError
    KeyboardInterrupt : Ctrl-C; the same call goes on.
    """
    check_phases(config.classification.phases)
    check_phases(config.segmentation.phases)
    catalog = labelled_images(catalog, config.classification)
    # From here on these classes are the diagnoses.
    plain = replace(config.classification, grouping="diagnosis", only=None)
    if config.classification.grouping == "malignancy":
        plain = replace(plain, malignant=())
    config = replace(config, classification=plain)
    _check_arms(catalog, config.chosen_arms)
    source = mask_source(config, catalog)
    splits = _splits(catalog, splits, Path(output), config.seed)
    catalog = catalog[catalog["image_id"].isin(splits["image_id"])].reset_index(drop=True)
    folder = start_folder(output, config, catalog, segmentation_identity(source, bundle), splits)
    masks = (
        cross_fitted_masks(folder, catalog, splits, config)
        if source == "cross-fitted"
        else bundle_masks(folder, catalog, bundle)
    )
    parts = _parts(catalog, splits, masks)
    _warn_of_poor_masks(parts["test"], config)
    outcomes = _outcomes(folder, parts, splits, masks, config)
    return _concluded(outcomes, parts, masks, config, facts or {})


def _splits(catalog: pd.DataFrame, splits: pd.DataFrame | None, output: Path, seed: int) -> pd.DataFrame:
    """The split that was given, checked for leaks, or that the folder already has, or else a new one."""
    folder = ComparisonFolder(output)
    begun = folder.splits_path.exists() and folder.holds_work
    if splits is not None:
        check_leaks(catalog, splits)
        if not begun:
            warn_of_near_duplicates(catalog, splits, perceptual_hashes(list(catalog["image_path"])))
    elif begun:
        splits = read_splits(folder.splits_path)
    else:
        splits = split_dataset(catalog, perceptual_hashes(list(catalog["image_path"])), seed)
    return splits_for(catalog, splits)


def _check_arms(catalog: pd.DataFrame, arms: tuple[Arm, ...]) -> None:
    unmasked = [arm.name for arm in arms if arm.masks == "reference"]
    if unmasked and catalog["mask_path"].isna().all():
        raise DatasetError(
            f"the dataset has no masks, which {', '.join(unmasked)} needs; leave it out of --arms."
        )


def _parts(catalog: pd.DataFrame, splits: pd.DataFrame, masks: Masks) -> dict[str, pd.DataFrame]:
    """Images of training, validation and test, with what is known of their masks."""
    images = catalog.merge(masks.table, on="image_id").merge(splits[["image_id", "split"]], on="image_id")
    parts = {name: images[images["split"] == name].reset_index(drop=True) for name in SPLITS}
    classes = classes_of(parts["train"]["dx"])
    for name, part in parts.items():
        strange = sorted(set(part["dx"]) - set(classes))
        if part.empty or strange:
            what = f"has {', '.join(strange)}, which training lacks" if strange else "is empty"
            raise DatasetError(f"the {name} part of the split {what}; give more images or other --splits.")
    return parts


def _warn_of_poor_masks(test: pd.DataFrame, config: ComparisonConfig) -> None:
    """Say before hours of training that the masks are too poor for an answer."""
    jaccards = test["jaccard"].dropna()
    differing = differing_crops(test, main_arm(config.chosen_arms))
    if why := poor_masks(float(jaccards.mean()) if len(jaccards) else None, differing):
        announce(f"warning: {why}; there will be no verdict. Stop with Ctrl-C, or see --masks and --bundle.")


def _outcomes(
    folder: ComparisonFolder,
    parts: dict[str, pd.DataFrame],
    splits: pd.DataFrame,
    masks: Masks,
    config: ComparisonConfig,
) -> Outcomes:
    """Train what is missing, and show validation and test images to every classifier."""
    arms = trained_arms(config.chosen_arms)
    if config.quick:
        learnt = {name: parts[name] for name in ("train", "validation")}
        observers = fit_quickly(folder, learnt, arms, config, masks.finder_of)
    else:
        observers = train_arms(folder, pd.concat(parts.values(), ignore_index=True), splits, arms, config)
    validation = _observe(folder, "validation", parts["validation"], observers, masks, config)
    conditions = [TEST, *(PERTURBATIONS if config.robustness else ())]
    tests = {name: _observe(folder, name, parts["test"], observers, masks, config) for name in conditions}
    classes = classes_of(parts["train"]["dx"])
    return Outcomes.from_logits(
        classes,
        (_indices(parts["validation"], classes), with_averages(validation.values, config.chosen_arms)),
        _indices(parts["test"], classes),
        parts["test"]["lesion_id"].to_numpy(str),
        {name: with_averages(test.values, config.chosen_arms) for name, test in tests.items()},
        {name: test.masks for name, test in tests.items()},
        resamples=config.resamples,
        seed=config.seed,
    )


def _observe(
    folder: ComparisonFolder,
    condition: str,
    images: pd.DataFrame,
    observers: Mapping[str, Observer],
    masks: Masks,
    config: ComparisonConfig,
) -> Observation:
    return observe(
        folder,
        condition,
        images,
        trained_arms(config.chosen_arms),
        observers,
        side=config.input_side,
        seeds=config.seeds,
        finder_of=masks.finder_of,
        perturbation=PERTURBATIONS.get(condition),
    )


def _indices(images: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    return images["dx"].map(classes.index).to_numpy(int)


def _concluded(
    outcomes: Outcomes,
    parts: dict[str, pd.DataFrame],
    masks: Masks,
    config: ComparisonConfig,
    facts: Mapping[str, str],
) -> Comparison:
    """The figures, and the verdict by the rule."""
    arms, main, test = config.chosen_arms, main_arm(config.chosen_arms).name, parts["test"]
    contrasts = compare_arms(outcomes, arms)
    deciding = next(part for part in contrasts if (part.arm, part.baseline) == (main, BASELINE))
    jaccards = test["jaccard"].to_numpy(float)
    known = ~np.isnan(jaccards)
    differing = differing_crops(test, main_arm(arms))
    why = poor_masks(float(jaccards[known].mean()) if known.any() else None, differing)
    verdict = decide(
        main,
        BASELINE,
        deciding.differences[DECIDING_FIGURE],
        deciding.adjusted[DECIDING_FIGURE],
        config.smallest_difference,
    )
    return Comparison(
        verdict=void(main, BASELINE, why) if why else verdict,
        rule=rule(main, BASELINE, config.smallest_difference),
        main_contrast=deciding,
        smallest_difference=config.smallest_difference,
        quick=config.quick,
        classes=outcomes.classes,
        support={code: int((test["dx"] == code).sum()) for code in outcomes.classes},
        arms={arm.name: arm_figures(outcomes, arm) for arm in arms},
        contrasts=contrasts,
        strata=tuple(stratify(outcomes, main)),
        conditions=tuple(under_conditions(outcomes, arms)) if config.robustness else (),
        mask_jaccard=mean_interval(jaccards[known], outcomes.weights[:, known]) if known.any() else None,
        predictions=prediction_table(outcomes, test),
        images=test,
        differing_crops=differing,
        notes=_notes(parts, masks, config),
        facts={**facts, **_facts(parts, config)},
    )


def _notes(parts: dict[str, pd.DataFrame], masks: Masks, config: ComparisonConfig) -> tuple[str, ...]:
    notes = [masks.source]
    known = parts["test"]["seen"]
    if known.any():
        notes.append(f"{known.sum()} of the {len(known)} test images ({known.mean():.0%}) are among these.")
    if config.quick:
        notes.insert(
            0,
            f"This is a quick answer: linear heads on a frozen encoder at {config.input_side} pixels stand for trained "
            "classifiers. They see less detail, which favours whatever enlarges the lesion; a full comparison may "
            "come out otherwise.",
        )
    if config.seeds == 1:
        notes.append(
            "With one seed the intervals know nothing of how much one training differs from the next."
        )
    lesions = parts["test"].groupby("dx")["lesion_id"].nunique()
    few = [f"{code} ({count})" for code, count in lesions.items() if count < FEW_LESIONS]
    if few:
        notes.append(f"Classes with few test lesions, whose figures tell little: {', '.join(few)}.")
    absent = sorted(set(parts["train"]["dx"]) - set(parts["test"]["dx"]))
    if absent:
        notes.append(f"Classes without a test image, left out of the averages: {', '.join(absent)}.")
    return tuple(notes)


def _facts(parts: dict[str, pd.DataFrame], config: ComparisonConfig) -> dict[str, Any]:
    counts = ", ".join(
        f"{name} {len(part)} images of {part['lesion_id'].nunique()} lesions" for name, part in parts.items()
    )
    training = config.classification
    learning = (
        f"linear heads on a frozen encoder, {config.input_side} pixels"
        if config.quick
        else f"{training.head_epochs} + {training.small_epochs} + {training.epochs} epochs (head, small, full size), "
        f"{config.input_side} pixels, {training.imbalance} sampling, {training.augmentation} augmentation"
    )
    return {
        "Split": counts,
        "Trainings": f"{config.seeds} seeds an arm; {learning}",
        "Intervals": (
            f"95%, bootstrap over lesions ({config.resamples} resamples, seed {config.seed}) and variance "
            "between seeds"
        ),
    }
