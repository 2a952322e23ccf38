"""Selective classification: accuracy and coverage when the diagnoses that are marked as doubtful are left out.

After Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", arXiv 1705.08500 (2017).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from classification import bootstrap
from data.intervals import Interval, lesion_weights, mean_interval

COVERAGES = np.arange(1, 21) / 20


@dataclass(frozen=True)
class CoveragePoint:
    """The images of the highest confidence: which part they are of all, the least confidence, and how many are right.

    The balanced accuracy is NaN where a class of the set has no image left.
    """

    coverage: float
    confidence: float
    accuracy: float
    balanced_accuracy: float


@dataclass(frozen=True)
class AbstentionScores:
    """Figures of a classifier that may abstain, with 95% intervals by bootstrap over lesions.

    Attributes
    ----------
    images, kept : int
        All images, and those that are not marked.
    coverage : share of the images that are not marked
    accuracy, balanced_accuracy : of the images that are not marked, over the classes that these have
    marked_accuracy : of those that are marked
    mean_risk : mean share of wrong diagnoses over all coverages, the area under the risk-coverage curve
    curve : points of that curve, in rising coverage
    """

    images: int
    kept: int
    coverage: Interval
    accuracy: Interval
    balanced_accuracy: Interval
    marked_accuracy: Interval
    mean_risk: float
    curve: tuple[CoveragePoint, ...]

    @classmethod
    def from_predictions(
        cls,
        labels: np.ndarray,
        probabilities: np.ndarray,
        marked: np.ndarray,
        lesion_ids: Sequence[str] | np.ndarray,
        *,
        resamples: int = 1000,
        seed: int = 0,
    ) -> "AbstentionScores":
        """Score N images, N > 0.

        Parameters
        ----------
        labels : int array (N,), class indices
        probabilities : float array (N, C)
        marked : bool array (N,), whether an image would be left out
        lesion_ids : the lesion of each image
        resamples, seed : of the bootstrap
        """
        weights = lesion_weights(lesion_ids, resamples, seed)
        predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
        correct, kept = predicted == labels, ~marked
        order = np.argsort(-confidence, kind="stable")
        risks = 1 - np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
        return cls(
            images=len(labels),
            kept=int(kept.sum()),
            coverage=mean_interval(kept, weights),
            accuracy=_accuracy(correct, kept, weights),
            balanced_accuracy=_balanced_accuracy(labels, predicted, kept, weights),
            marked_accuracy=_accuracy(correct, marked, weights),
            mean_risk=float(risks.mean()),
            curve=tuple(_curve(labels[order], predicted[order], confidence[order])),
        )

    def figures(self) -> dict[str, Interval]:
        """The figures by the names that a reader knows."""
        return {
            "Coverage": self.coverage,
            "Accuracy of the diagnoses not marked": self.accuracy,
            "Balanced accuracy of the diagnoses not marked": self.balanced_accuracy,
            "Accuracy of the marked diagnoses": self.marked_accuracy,
        }

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        intervals = ("coverage", "accuracy", "balanced_accuracy", "marked_accuracy")
        return {
            "images": self.images,
            "kept": self.kept,
            **{name: getattr(self, name).to_dict() for name in intervals},
            "mean_risk": self.mean_risk,
            "curve": [
                {name: None if np.isnan(value) else value for name, value in asdict(point).items()}
                for point in self.curve
            ],
        }

    def to_text(self) -> str:
        """An aligned table for the terminal."""
        figures = pd.Series({name: str(figure) for name, figure in self.figures().items()})
        title = f"Not marked as doubtful: {self.kept} of {self.images} images"
        return f"{title}\n\n{figures.to_string()}"


def _accuracy(correct: np.ndarray, chosen: np.ndarray, weights: np.ndarray) -> Interval:
    value = float(correct[chosen].mean()) if chosen.any() else np.nan
    right, all_chosen = weights @ (correct & chosen), weights @ chosen
    return Interval.from_resamples(value, bootstrap.ratio(right, all_chosen))


def _balanced_accuracy(
    labels: np.ndarray, predicted: np.ndarray, chosen: np.ndarray, weights: np.ndarray
) -> Interval:
    labels, predicted = labels[chosen], predicted[chosen]
    classes = 1 + max(labels.max(initial=0), predicted.max(initial=0))

    def mean_recall(weights: np.ndarray) -> np.ndarray:
        confusions = bootstrap.confusion_matrices(labels, predicted, classes, weights)
        _, recall, _ = bootstrap.precision_recall_f1(confusions)
        return bootstrap.macro_mean(recall)

    value = float(mean_recall(np.ones((1, len(labels))))[0])
    return Interval.from_resamples(value, mean_recall(weights[:, chosen]))


def _curve(labels: np.ndarray, predicted: np.ndarray, confidence: np.ndarray) -> list[CoveragePoint]:
    """Points at `COVERAGES` of images in falling order of confidence."""
    correct, support = predicted == labels, np.bincount(labels)
    points = []
    for coverage in COVERAGES:
        kept = max(1, round(coverage * len(labels)))
        hits = np.bincount(labels[:kept], correct[:kept], len(support))
        recalls = bootstrap.ratio(hits, np.bincount(labels[:kept], minlength=len(support)))
        points.append(
            CoveragePoint(
                coverage=kept / len(labels),
                confidence=float(confidence[kept - 1]),
                accuracy=float(correct[:kept].mean()),
                balanced_accuracy=float(recalls[support > 0].mean()),
            )
        )
    return points
