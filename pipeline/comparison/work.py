"""How long a comparison will take, told before it starts."""

import pandas as pd

from data.splits import DEFAULT_FRACTIONS
from pipeline.comparison.arms import trained_arms
from pipeline.comparison.config import ComparisonConfig
from pipeline.comparison.masks import VALIDATION_FOLDS, mask_source
from segmentation.engine.estimating import HEAD_ALONE, PIXELS_A_SECOND, duration, estimate_training


def work_text(catalog: pd.DataFrame, config: ComparisonConfig, cores: int) -> str:
    """The trainings of a comparison and how long they take, about, where the folder holds none of them yet.

    Parameters
    ----------
    catalog : DataFrame with `dx`, `mask_path` and `lesion_id`
    config : ComparisonConfig
    cores : int
    """
    labelled = catalog[catalog["dx"].notna()]
    arms = len(trained_arms(config.chosen_arms))
    folds = config.folds if mask_source(config, labelled) == "cross-fitted" else 0
    masks = int(labelled["mask_path"].notna().sum()) * (config.folds - 1) // config.folds
    masks = min(masks, config.most_masks or masks)
    finding = estimate_training(
        "segmentation",
        config.segmentation.phases,
        masks - masks // VALIDATION_FOLDS,
        masks // VALIDATION_FOLDS,
        config.segmentation.batch_size,
    )
    trainings = 1 if config.quick else config.seeds
    naming = _seconds_of_an_arm(len(labelled), config, cores)
    seconds = folds * finding.seconds + arms * trainings * naming
    what = "passes of a frozen encoder" if config.quick else "trainings of a classifier"
    return (
        f"{len(labelled)} images: {folds} trainings of a segmentation and {arms * trainings} {what}, about "
        f"{duration(seconds)} on {cores} quiet cores, and the test images on top"
    )


def _seconds_of_an_arm(images: int, config: ComparisonConfig, cores: int) -> float:
    if config.quick:
        return images * config.input_side**2 / (PIXELS_A_SECOND["classification"] * HEAD_ALONE * cores)
    train, validation = (round(part * images) for part in DEFAULT_FRACTIONS[:2])
    settings = config.classification
    return estimate_training(
        "classification", settings.phases, train, validation, settings.batch_size
    ).seconds
