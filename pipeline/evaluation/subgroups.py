"""Subgroups: figures by age, sex, site and method of diagnosis, to see whom the software serves less well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from classification.metrics import malignant_auc
from data.datasets.diagnoses import malignancy
from data.intervals import Interval, lesion_weights, mean_interval
from pipeline.evaluation.scoring import LabelledPredictions, label_predictions
from segmentation.engine.run_folder import AGE_BOUNDS, AGE_GROUPS

# Fewer tell nothing: of 30 images, the interval of an accuracy is 0.3 wide; an AUC needs some of both kinds.
SMALLEST_GROUP = 30
SMALLEST_KIND = 10
UNKNOWN = "unknown"
KINDS = {"age": "Age", "sex": "Sex", "localization": "Site", "dx_type": "Method of diagnosis"}


@dataclass(frozen=True)
class GroupScores:
    """Figures of one group of images, with 95% intervals by bootstrap over lesions.

    Attributes
    ----------
    kind, group : such as "Sex" and "female"
    images, lesions : int
    malignant : int
        Images with a malignant diagnosis.
    accuracy : share of right diagnoses; None of fewer than `SMALLEST_GROUP` images
    malignant_auc : malignant against benign; None with fewer than `SMALLEST_KIND` images of either
    jaccard : mean over the masks; None of fewer than `SMALLEST_GROUP`
    """

    kind: str
    group: str
    images: int
    lesions: int
    malignant: int
    accuracy: Interval | None
    malignant_auc: Interval | None
    jaccard: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        return {
            name: value.to_dict() if isinstance(value, Interval) else value
            for name, value in vars(self).items()
        }


def score_groups(
    predictions: pd.DataFrame,
    catalog: pd.DataFrame,
    classes: tuple[str, ...],
    resamples: int,
    seed: int,
    malignant: tuple[str, ...] = (),
) -> tuple[GroupScores, ...]:
    """Figures of every group that the dataset tells apart.

    Parameters
    ----------
    predictions : DataFrame
        As `pipeline.evaluation.evaluation.Evaluation.predictions`.
    catalog : DataFrame
        With `image_id` and, of the columns `age`, `sex`, `localization` and `dx_type`, those that the dataset knows.
    classes : the bundle's classes
    resamples, seed : of the bootstrap
    malignant : classes of the bundle's own that count as malignant
    """
    scores = []
    for column, kind in KINDS.items():
        groups = _groups(catalog, column)
        for group in _ordered(groups, column):
            members = predictions[predictions["image_id"].isin(groups.index[groups == group])]
            if len(members):
                labelled = label_predictions(members, classes, malignant)
                scores.append(_score(kind, group, members, labelled, resamples, seed))
    return tuple(scores)


def groups_text(groups: Sequence[GroupScores]) -> str:
    """An aligned table for the terminal; "-" where a group is too small."""
    if not groups:
        return ""
    table = pd.DataFrame(
        {
            "Group": [f"{group.kind}: {group.group}" for group in groups],
            "Images": [group.images for group in groups],
            "Malignant": [group.malignant for group in groups],
            "Accuracy": [str(group.accuracy or "-") for group in groups],
            "Malignant AUC": [str(group.malignant_auc or "-") for group in groups],
            "Jaccard": [str(group.jaccard or "-") for group in groups],
        }
    )
    return f"By group\n\n{table.to_string(index=False)}"


def _groups(catalog: pd.DataFrame, column: str) -> pd.Series:
    """Group of each image, by image id; empty where the dataset knows the column of no image."""
    if column not in catalog or catalog[column].isna().all():
        return pd.Series(dtype=object)
    values = catalog.set_index("image_id")[column]
    if column == "age":
        values = pd.cut(values.astype(float), AGE_BOUNDS, right=False, labels=AGE_GROUPS)
    return values.astype(object).where(values.notna(), UNKNOWN)


def _ordered(groups: pd.Series, column: str) -> Iterator[str]:
    """Ages in their order, the others by their number of images; what is not known comes last."""
    names = (
        AGE_GROUPS if column == "age" else [name for name in groups.value_counts().index if name != UNKNOWN]
    )
    yield from names
    yield UNKNOWN


def _score(
    kind: str, group: str, members: pd.DataFrame, labelled: LabelledPredictions, resamples: int, seed: int
) -> GroupScores:
    sides = [malignancy(code, labelled.malignant) for code in labelled.classes]
    groups = np.array(sides, object)[labelled.labels]
    malignant, benign = (int((groups == side).sum()) for side in ("malignant", "benign"))
    masked = members[members["jaccard"].notna()]
    accuracy = auc = jaccard = None
    if len(labelled.labels) >= SMALLEST_GROUP:
        weights = lesion_weights(labelled.lesion_ids, resamples, seed)
        accuracy = mean_interval(labelled.probabilities.argmax(axis=1) == labelled.labels, weights)
        if min(malignant, benign) >= SMALLEST_KIND:
            auc = malignant_auc(
                labelled.labels, labelled.probabilities, labelled.classes, weights, labelled.malignant
            )
    if len(masked) >= SMALLEST_GROUP:
        weights = lesion_weights(masked["lesion_id"].to_numpy(), resamples, seed)
        jaccard = mean_interval(masked["jaccard"].to_numpy(float), weights)
    return GroupScores(
        kind=kind,
        group=group,
        images=len(members),
        lesions=int(members["lesion_id"].nunique()),
        malignant=malignant,
        accuracy=accuracy,
        malignant_auc=auc,
        jaccard=jaccard,
    )
