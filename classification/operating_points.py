"""Operating points: the sensitivity for malignant lesions at a given specificity, and its threshold."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_curve

from classification import bootstrap
from data.datasets.diagnoses import malignancy, malignant_classes
from data.intervals import Interval, lesion_weights

SPECIFICITIES = (0.8, 0.85, 0.9, 0.95)
ROUNDING = 1e-9


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on a probability, chosen on the very images that it is scored on: elsewhere it does worse.

    Attributes
    ----------
    target : "malignant", or the class that is told from all others
    wanted : the specificity that was asked for
    threshold : from this probability on, an image counts as the target
    specificity : that of the threshold, `wanted` or more
    sensitivity : with its 95% interval, by bootstrap over lesions, each resample with its own threshold
    """

    target: str
    wanted: float
    threshold: float
    specificity: float
    sensitivity: Interval

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        return {**vars(self), "sensitivity": self.sensitivity.to_dict()}


def operating_points(
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    lesion_ids: Sequence[str] | np.ndarray,
    specificities: Sequence[float] = SPECIFICITIES,
    *,
    resamples: int = 1000,
    seed: int = 0,
    malignant: Collection[str] = (),
) -> tuple[OperatingPoint, ...]:
    """The points of malignant against benign, and of melanoma against the rest, as far as the images hold both kinds.

    Parameters
    ----------
    labels : int array (N,), indices into `classes`
    probabilities : float array (N, C)
    classes : the C classes
    lesion_ids : the lesion of each image
    specificities : of each target, in 0..1
    resamples, seed : of the bootstrap
    malignant : classes of the user's own that count as malignant
    """
    weights = lesion_weights(lesion_ids, resamples, seed)
    groups = np.array([malignancy(code, malignant) for code in classes])[labels]
    known = groups != "unknown"
    sums = probabilities[:, malignant_classes(classes, malignant)].sum(axis=1)
    targets = [("malignant", groups[known] == "malignant", sums[known], weights[:, known])]
    if "mel" in classes:
        place = list(classes).index("mel")
        targets.append(("mel", labels == place, probabilities[:, place], weights))
    return tuple(
        _point(target, positive, scores, wanted, drawn)
        for target, positive, scores, drawn in targets
        if positive.any() and not positive.all()
        for wanted in specificities
    )


def _point(
    target: str, positive: np.ndarray, scores: np.ndarray, wanted: float, weights: np.ndarray
) -> OperatingPoint:
    false_positive_rate, sensitivity, thresholds = roc_curve(positive, scores, drop_intermediate=False)
    allowed = np.flatnonzero(false_positive_rate <= 1 - wanted + ROUNDING)
    best = allowed[np.argmax(sensitivity[allowed])]
    resampled = bootstrap.sensitivity_at_specificity(positive, scores, wanted, weights)
    return OperatingPoint(
        target=target,
        wanted=wanted,
        threshold=float(min(thresholds[best], 1.0)),
        specificity=float(1 - false_positive_rate[best]),
        sensitivity=Interval.from_resamples(float(sensitivity[best]), resampled),
    )


def points_text(points: Sequence[OperatingPoint]) -> str:
    """An aligned table for the terminal."""
    if not points:
        return ""
    rows = [("Target", "Specificity", "Sensitivity", "From a probability of")]
    rows += [
        (point.target, f"{point.specificity:.3f}", str(point.sensitivity), f"{point.threshold:.3f}")
        for point in points
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "Operating points, thresholds chosen on these images\n\n" + "\n".join(lines)
