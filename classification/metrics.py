"""Classification metrics: per class, on average over classes, and of the probabilities.

Conventions: a class that is never predicted has precision and F1 0. A class without support in the test set
has no figures (NaN) and is left out of every average over classes; `ClassificationScores.without_support`
names it. The balanced accuracy is the mean recall, as the ISIC challenge of 2018 scores it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score, roc_curve

from classification import bootstrap
from classification.calibration import ReliabilityBins, calibration_interval, reliability_bins
from data.datasets.diagnoses import malignancy, malignant_classes
from data.intervals import Interval, lesion_weights, mean_interval

MELANOMA_SPECIFICITY = 0.85


@dataclass(frozen=True)
class ClassificationScores:
    """Figures of a classifier on a labelled set, with 95% intervals by bootstrap over lesions.

    Attributes
    ----------
    classes : the classes, in the order of the probabilities' columns and of the confusion matrix
    support : number of images of each class
    precision, recall, f1, auc : figure of each class; the AUC is that of the class against the rest
    macro_f1, balanced_accuracy, macro_auc : means of the classes' F1, recall and AUC
    accuracy : share of images that are right; on unbalanced classes it says little alone
    calibration_error, reliability : expected calibration error and its bins, see `classification.calibration`
    malignant_auc : AUC of the summed probability of the malignant classes, images of unknown group left out
    melanoma_sensitivity : sensitivity for melanoma at specificity 0.85
    confusion : int array (C, C), rows = reference
    lesions : number of distinct lesions among the images
    """

    classes: tuple[str, ...]
    support: Mapping[str, int]
    precision: Mapping[str, Interval]
    recall: Mapping[str, Interval]
    f1: Mapping[str, Interval]
    auc: Mapping[str, Interval]
    macro_f1: Interval
    balanced_accuracy: Interval
    accuracy: Interval
    macro_auc: Interval
    calibration_error: Interval
    malignant_auc: Interval | None
    melanoma_sensitivity: Interval | None
    confusion: np.ndarray
    reliability: ReliabilityBins
    lesions: int

    @classmethod
    def from_predictions(
        cls,
        labels: np.ndarray,
        probabilities: np.ndarray,
        classes: Sequence[str],
        lesion_ids: Sequence[str] | np.ndarray,
        *,
        resamples: int = 1000,
        seed: int = 0,
        malignant: Collection[str] = (),
    ) -> "ClassificationScores":
        """Score N images.

        Parameters
        ----------
        labels : int array (N,), indices into `classes`
        probabilities : float array (N, C), rows sum to 1; the diagnosis is the class of the highest
        classes : the C classes
        lesion_ids : the lesion of each image
        resamples : of the bootstrap; 0 gives figures without bounds
        seed : of the bootstrap
        malignant : classes of the user's own that count as malignant

        Raises
        ------
        ValueError : there is no image, or the shapes or labels don't fit the classes.
        """
        labels, probabilities = np.asarray(labels), np.asarray(probabilities, float)
        _check_predictions(labels, probabilities, classes)
        weights = lesion_weights(lesion_ids, resamples, seed)
        correct = probabilities.argmax(axis=1) == labels
        confusion = confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(len(classes)))
        per_class = _per_class(labels, probabilities, weights)
        macro = {name: _macro(*figures) for name, figures in per_class.items()}
        return cls(
            classes=tuple(classes),
            support=dict(zip(classes, confusion.sum(axis=1).tolist(), strict=True)),
            **{name: _by_class(classes, *figures) for name, figures in per_class.items()},
            macro_f1=macro["f1"],
            balanced_accuracy=macro["recall"],
            accuracy=mean_interval(correct, weights),
            macro_auc=macro["auc"],
            calibration_error=calibration_interval(probabilities, labels, weights),
            malignant_auc=malignant_auc(labels, probabilities, classes, weights, malignant),
            melanoma_sensitivity=_melanoma_sensitivity(labels, probabilities, classes, weights),
            confusion=confusion,
            reliability=reliability_bins(probabilities, labels),
            lesions=len(set(lesion_ids)),
        )

    @property
    def count(self) -> int:
        """Number of images."""
        return int(self.confusion.sum())

    @property
    def without_support(self) -> tuple[str, ...]:
        """The classes that no image of the set has."""
        return tuple(code for code in self.classes if not self.support[code])

    def averages(self) -> dict[str, Interval]:
        """The figures over all classes that the classes allow, by the names that a reader knows."""
        figures = {
            "Balanced accuracy": self.balanced_accuracy,
            "Macro F1": self.macro_f1,
            "Macro AUC": self.macro_auc,
            "Accuracy": self.accuracy,
            "Expected calibration error": self.calibration_error,
            "Malignant against benign, AUC": self.malignant_auc,
            f"Melanoma sensitivity at {MELANOMA_SPECIFICITY} specificity": self.melanoma_sensitivity,
        }
        return {name: figure for name, figure in figures.items() if figure is not None}

    def per_class(self) -> pd.DataFrame:
        """One row a class: Support, and Precision, Recall, F1 and AUC as `Interval`."""
        columns = {"Precision": self.precision, "Recall": self.recall, "F1": self.f1, "AUC": self.auc}
        table = pd.DataFrame({name: pd.Series(dict(figures)) for name, figures in columns.items()})
        table.insert(0, "Support", pd.Series(dict(self.support)))
        return table.loc[list(self.classes)]

    def confusion_table(self) -> pd.DataFrame:
        """The confusion matrix with the classes as index (reference) and columns (diagnosis)."""
        return pd.DataFrame(self.confusion, index=self.classes, columns=self.classes)

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        averages = ("balanced_accuracy", "macro_f1", "macro_auc", "accuracy", "calibration_error")
        optional = {"malignant_auc": self.malignant_auc, "melanoma_sensitivity": self.melanoma_sensitivity}
        per_class = {"precision": self.precision, "recall": self.recall, "f1": self.f1, "auc": self.auc}
        return {
            "images": self.count,
            "lesions": self.lesions,
            "classes": list(self.classes),
            "without_support": list(self.without_support),
            **{name: getattr(self, name).to_dict() for name in averages},
            **{name: figure.to_dict() if figure else None for name, figure in optional.items()},
            "per_class": {
                code: {"support": self.support[code]}
                | {name: figures[code].to_dict() for name, figures in per_class.items()}
                for code in self.classes
            },
            "confusion": self.confusion.tolist(),
            "reliability": self.reliability.to_dict(),
        }

    def to_text(self) -> str:
        """Aligned tables for the terminal."""
        averages = pd.Series({name: str(figure) for name, figure in self.averages().items()})
        parts = [
            f"Classification of {self.count} images, {self.lesions} lesions",
            self.per_class().map(str).to_string(),
            averages.to_string(),
            "Confusion (rows: reference, columns: diagnosis)",
            self.confusion_table().to_string(),
        ]
        if self.without_support:
            parts.append(f"No image of: {', '.join(self.without_support)}; left out of the averages.")
        return "\n\n".join(parts)


def sensitivity_at_specificity(positive: np.ndarray, scores: np.ndarray, specificity: float) -> float:
    """Highest sensitivity of any threshold on `scores` (N,) whose specificity is at least the one asked for.

    `positive` is a bool array (N,) that holds both True and False.
    """
    false_positive_rate, sensitivity, _ = roc_curve(positive, scores, drop_intermediate=False)
    return float(sensitivity[false_positive_rate <= 1 - specificity + 1e-9].max())


def malignant_auc(
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    weights: np.ndarray,
    malignant: Collection[str] = (),
) -> Interval | None:
    """AUC of the malignant classes' summed probability, images of unknown group left out; None without both groups.

    Parameters as in `ClassificationScores.from_predictions`; `weights` (R, N) are those of the bootstrap.
    """
    groups = np.array([malignancy(code, malignant) for code in classes])[labels]
    known = groups != "unknown"
    positive = groups[known] == "malignant"
    scores = probabilities[known][:, malignant_classes(classes, malignant)].sum(axis=1)
    if positive.all() or not positive.any():
        return None
    return Interval.from_resamples(_auc(positive, scores), bootstrap.auc(positive, scores, weights[:, known]))


def _check_predictions(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> None:
    if not len(labels):
        raise ValueError("there is no image to score")
    if probabilities.shape != (len(labels), len(classes)):
        expected = (len(labels), len(classes))
        raise ValueError(f"probabilities are {probabilities.shape}; expected {expected}, images by classes")
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}; expected 0 to {len(classes) - 1}"
        )


def _per_class(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Precision, recall, f1 and auc: figures of each class (C,), and of each resample and class (R, C)."""
    classes, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
    support = np.bincount(labels, minlength=classes)
    figures = precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)[:3]
    confusions = bootstrap.confusion_matrices(labels, predicted, classes, weights)
    resamples = bootstrap.precision_recall_f1(confusions)
    one_against_rest = [(labels == index, probabilities[:, index]) for index in range(classes)]
    aucs = np.array([_auc(positive, scores) for positive, scores in one_against_rest])
    auc_resamples = [bootstrap.auc(positive, scores, weights) for positive, scores in one_against_rest]
    return {
        name: (np.where(support > 0, figure, np.nan), resample)
        for name, figure, resample in zip(("precision", "recall", "f1"), figures, resamples, strict=True)
    } | {"auc": (aucs, np.stack(auc_resamples, axis=1))}


def _auc(positive: np.ndarray, scores: np.ndarray) -> float:
    return float(roc_auc_score(positive, scores)) if 0 < positive.sum() < len(positive) else np.nan


def _by_class(classes: Sequence[str], figures: np.ndarray, resamples: np.ndarray) -> dict[str, Interval]:
    columns = zip(classes, figures, resamples.T, strict=True)
    return {code: Interval.from_resamples(figure, resample) for code, figure, resample in columns}


def _macro(figures: np.ndarray, resamples: np.ndarray) -> Interval:
    value = bootstrap.macro_mean(figures[None])[0]
    return Interval.from_resamples(value, bootstrap.macro_mean(resamples))


def _melanoma_sensitivity(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], weights: np.ndarray
) -> Interval | None:
    if "mel" not in classes:
        return None
    melanoma = list(classes).index("mel")
    positive, scores = labels == melanoma, probabilities[:, melanoma]
    if positive.all() or not positive.any():
        return None
    value = sensitivity_at_specificity(positive, scores, MELANOMA_SPECIFICITY)
    resamples = bootstrap.sensitivity_at_specificity(positive, scores, MELANOMA_SPECIFICITY, weights)
    return Interval.from_resamples(value, resamples)
