"""The table of predictions -> scores."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from classification.abstention import AbstentionScores
from classification.metrics import ClassificationScores
from classification.operating_points import OperatingPoint, operating_points
from data.datasets.diagnoses import classes_of, malignancy
from pipeline.prediction.predictor import DOUBTS
from segmentation.metrics import SegmentationScores

GROUPS = frozenset({"benign", "malignant", "unknown"})


class LabelledPredictions(NamedTuple):
    """Predictions of the N images whose reference diagnosis is among the C `classes`.

    `labels` (N,) are indices into `classes`, `probabilities` are (N, C). `unknown` counts the images whose
    diagnosis is none of the classes. `grouped` tells that the classes are groups of the bundle's or of the
    dataset's own. `marked` (N,) tells which predictions have a note that casts doubt on them. `malignant` are classes
    of the bundle's own that count as malignant.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    lesion_ids: np.ndarray
    unknown: Mapping[str, int]
    grouped: bool
    marked: np.ndarray
    malignant: tuple[str, ...] = ()


def label_predictions(
    predictions: pd.DataFrame, classes: tuple[str, ...], malignant: tuple[str, ...] = ()
) -> LabelledPredictions:
    """Bring predictions and reference diagnoses to the same classes.

    Where one side tells only benign from malignant and the other tells diagnoses, both are compared as groups: the
    probability of a group is the sum over its classes.
    """
    references = predictions[predictions["dx"].notna()]
    labels, probabilities = references["dx"], references[list(classes)].to_numpy(float)
    grouped = not labels.empty and (set(labels) <= GROUPS) != (set(classes) <= GROUPS)
    if grouped:
        groups = classes_of(malignancy(code, malignant) for code in classes)
        members = np.array(
            [[malignancy(code, malignant) == group for group in groups] for code in classes], float
        )
        labels = labels.map(lambda code: malignancy(code, malignant))
        probabilities, classes = probabilities @ members, groups
    known = labels.isin(classes).to_numpy()
    return LabelledPredictions(
        classes=classes,
        labels=labels[known].map(classes.index).to_numpy(int),
        probabilities=probabilities[known],
        lesion_ids=references["lesion_id"].to_numpy()[known],
        unknown=Counter(labels[~known]),
        grouped=grouped,
        marked=_marked(references)[known],
        malignant=malignant,
    )


def _marked(predictions: pd.DataFrame) -> np.ndarray:
    """Which predictions have a note that casts doubt on them; a table without notes marks none."""
    if "notes" not in predictions:
        return np.full(len(predictions), False)
    return np.array([not DOUBTS.isdisjoint(notes) for notes in predictions["notes"]], bool)


def score_classification(
    labelled: LabelledPredictions, resamples: int, seed: int
) -> ClassificationScores | None:
    """Scores of the labelled images; None where there are none."""
    if not len(labelled.labels):
        return None
    return ClassificationScores.from_predictions(
        labelled.labels,
        labelled.probabilities,
        labelled.classes,
        labelled.lesion_ids,
        resamples=resamples,
        seed=seed,
        malignant=labelled.malignant,
    )


def score_operating_points(
    labelled: LabelledPredictions, specificities: Sequence[float], resamples: int, seed: int
) -> tuple[OperatingPoint, ...]:
    """Sensitivities at the specificities; none where no image is labelled."""
    if not len(labelled.labels):
        return ()
    return operating_points(
        labelled.labels,
        labelled.probabilities,
        labelled.classes,
        labelled.lesion_ids,
        specificities,
        resamples=resamples,
        seed=seed,
        malignant=labelled.malignant,
    )


def score_abstention(labelled: LabelledPredictions, resamples: int, seed: int) -> AbstentionScores | None:
    """What leaving out the marked images would change; None where there are no labelled images."""
    if not len(labelled.labels):
        return None
    return AbstentionScores.from_predictions(
        labelled.labels,
        labelled.probabilities,
        labelled.marked,
        labelled.lesion_ids,
        resamples=resamples,
        seed=seed,
    )


def score_segmentation(predictions: pd.DataFrame, resamples: int, seed: int) -> SegmentationScores | None:
    """Scores of the images with a Jaccard; None where there are none."""
    masked = predictions[predictions["jaccard"].notna()]
    if masked.empty:
        return None
    return SegmentationScores.from_values(
        masked["jaccard"].to_numpy(float),
        masked["dice"].to_numpy(float),
        masked["lesion_id"].to_numpy(),
        resamples=resamples,
        seed=seed,
    )
