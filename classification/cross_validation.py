"""Train once for each fold, and say what each image gets from the one model that did not learn from it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops
from sklearn.model_selection import StratifiedGroupKFold

from classification.config import ClassificationConfig
from classification.labelled import labelled_images
from classification.metrics import ClassificationScores
from classification.model import load_classifier
from classification.training import train
from classification.views import crop_view, locate_references
from data.batches import ClassificationBatches
from data.cache import cache_images
from data.datasets.catalog import DatasetError
from data.datasets.diagnoses import classes_of
from data.files import replacing, write_text
from data.near_duplicates import perceptual_hashes
from data.splits import image_groups
from segmentation.engine.fitting import remove_cache
from segmentation.engine.run_folder import Run
from segmentation.locating import Locator

LEAST_FOLDS = 3  # one to test on, one to choose on, one to learn from


def cross_validate(
    catalog: pd.DataFrame,
    config: ClassificationConfig,
    output: str | Path,
    folds: int,
    *,
    segmentation: Locator | None = None,
    start: Run | None = None,
    averaged: Sequence[Run] = (),
    teachers: Sequence[Run] = (),
    devices: int = 1,
    resume: bool = False,
    begin: Callable[[int], None] = lambda _: None,
) -> ClassificationScores | None:
    """Train a classifier for each fold, validated on the next fold, and score the out-of-fold answers of all images.

    Parameters
    ----------
    catalog, config, segmentation, start, averaged, teachers, devices : as in `classification.training.train`
    output : path
        Gets a run a fold (`fold-1`, ...), `out-of-fold.csv` with every image's calibrated probabilities, and
        `cross-validation.json` and `.txt` with their scores.
    folds : int, at least 3
        Grouped by lesion and near-duplicates, stratified by class.
    resume : bool
        Go on where an earlier call was stopped.
    begin : callable
        Called with each fold's number, from 1, before its training.

    Returns
    -------
    ClassificationScores, or None where Ctrl-C ended a fold's training

    Raises
    ------
    DatasetError, ImageError, RunError
    """
    labelled, output = labelled_images(catalog, config), Path(output)
    classes = classes_of(labelled["dx"])
    fold_of_image = _folds(labelled, folds, config.seed)
    answers = []
    for fold in range(folds):
        begin(fold + 1)
        run = Run(output / f"fold-{fold + 1}")
        split = np.select(
            [fold_of_image == fold, fold_of_image == (fold + 1) % folds], ["test", "validation"], "train"
        )
        splits = pd.DataFrame({"image_id": labelled["image_id"], "split": split})
        metrics = train(
            catalog,
            config,
            run.folder,
            segmentation=segmentation,
            splits=splits,
            start=start,
            averaged=averaged,
            teachers=teachers,
            devices=devices,
            resume=resume and run.holds_training,
        )
        if metrics["interrupted"]:
            return None
        tested = labelled[split == "test"].reset_index(drop=True)
        found = pd.DataFrame(_answers(run, tested, config, segmentation), columns=metrics["classes"])
        answers.append(tested[["image_id", "lesion_id", "dx"]].assign(fold=fold + 1).join(found))
    table = pd.concat(answers, ignore_index=True).fillna(dict.fromkeys(classes, 0.0))
    return _scored(table, classes, output, config)


def _folds(labelled: pd.DataFrame, folds: int, seed: int) -> np.ndarray:
    """Number (N,) of each image's fold."""
    groups = image_groups(labelled["lesion_id"], perceptual_hashes(list(labelled["image_path"])))
    rarest = labelled.assign(group=groups).groupby("dx")["group"].nunique().min()
    if folds < LEAST_FOLDS or rarest < folds:
        raise DatasetError(
            f"{folds} folds can't be made: it takes {LEAST_FOLDS} or more, and the rarest class has {rarest} lesions."
        )
    of_image = np.zeros(len(labelled), int)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for fold, (_, members) in enumerate(splitter.split(groups, labelled["dx"], groups)):
        of_image[members] = fold
    return of_image


def _answers(
    run: Run, tested: pd.DataFrame, config: ClassificationConfig, segmentation: Locator | None
) -> np.ndarray:
    """Calibrated probabilities (N, C) that a fold's model gives to the images of its test part."""
    model = load_classifier(run)
    side = model.input_shape[1]
    regions = None
    if config.view == "crop":
        located = (
            locate_references(tested["image_id"].tolist(), tested["mask_path"].tolist())
            if config.boxes == "reference" or segmentation is None
            else segmentation.locate(tested)
        )
        regions = crop_view(located, config.margin, 0.0).regions
    pixels = cache_images(list(tested["image_path"]), (side, side), run.cache_folder / "test.npy", regions)
    batches = ClassificationBatches(
        pixels, np.zeros(len(tested), int), model.output_shape[-1], side, config.batch_size
    )
    logits = np.concatenate(
        [np.asarray(model.predict_on_batch(batches[index][0])) for index in range(len(batches))]
    )
    remove_cache(run)
    keras.utils.clear_session()
    return np.asarray(ops.softmax(logits / run.metrics["temperature"]))


def _scored(
    table: pd.DataFrame, classes: tuple[str, ...], output: Path, config: ClassificationConfig
) -> ClassificationScores:
    with replacing(output / "out-of-fold.csv") as temporary:
        table.to_csv(temporary, index=False)
    scores = ClassificationScores.from_predictions(
        table["dx"].map(classes.index).to_numpy(int),
        table[list(classes)].to_numpy(float),
        classes,
        table["lesion_id"].to_numpy(),
        malignant=config.malignant,
    )
    by_fold: dict[str, Any] = {
        str(fold): float((part[list(classes)].idxmax(axis=1) == part["dx"]).groupby(part["dx"]).mean().mean())
        for fold, part in table.groupby("fold")
    }
    figures = {"out_of_fold": scores.to_dict(), "balanced_accuracy_of_folds": by_fold}
    write_text(output / "cross-validation.json", json.dumps(figures, indent=2) + "\n")
    folds = ", ".join(f"{value:.3f}" for value in by_fold.values())
    write_text(
        output / "cross-validation.txt", f"{scores.to_text()}\n\nBalanced accuracy of each fold: {folds}\n"
    )
    return scores
