"""The figures of `metrics.py` for all resamples of a bootstrap at once.

scikit-learn computes one weighted figure a call; a thousand resamples of all of them would take minutes.
Here each function takes the weights of all resamples, an array (R, N) as `data.intervals.lesion_weights`
draws it, and returns the figure of each. Two classifiers are compared by giving both the same weights.
"""

import numpy as np


def confusion_matrices(
    labels: np.ndarray, predicted: np.ndarray, classes: int, weights: np.ndarray
) -> np.ndarray:
    """Confusion matrices (R, C, C), rows = reference, from class indices `labels` and `predicted` (N,)."""
    cells = np.eye(classes * classes)[labels * classes + predicted]
    confusions: np.ndarray = (weights @ cells).reshape(-1, classes, classes)
    return confusions


def precision_recall_f1(confusions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1, each (R, C), of confusion matrices (R, C, C).

    Precision is 0 for a class that is never predicted; all three are NaN for a class without support.
    """
    support, predicted = confusions.sum(axis=2), confusions.sum(axis=1)
    hits = np.diagonal(confusions, axis1=1, axis2=2)
    precision = np.where(support > 0, ratio(hits, predicted, empty=0.0), np.nan)
    return precision, ratio(hits, support), ratio(2 * hits, np.where(support > 0, support + predicted, 0))


def auc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve (R,): the share of positive-negative pairs in the right order.

    Parameters
    ----------
    positive : bool array (N,)
    scores : float array (N,), higher where positive is likelier
    weights : float array (R, N)

    Returns
    -------
    float array (R,), NaN where a resample has no positive or no negative; a tie counts half.
    """
    ranked = np.flatnonzero(~positive)[np.argsort(scores[~positive])]
    negatives = np.pad(np.cumsum(weights[:, ranked], axis=1), ((0, 0), (1, 0)))
    below, up_to = (np.searchsorted(scores[ranked], scores[positive], side) for side in ("left", "right"))
    beaten = (negatives[:, below] + negatives[:, up_to]) / 2
    positives = weights[:, positive]
    return ratio(np.einsum("rp,rp->r", positives, beaten), positives.sum(axis=1) * negatives[:, -1])


def sensitivity_at_specificity(
    positive: np.ndarray, scores: np.ndarray, specificity: float, weights: np.ndarray
) -> np.ndarray:
    """Highest sensitivity (R,) of any threshold that keeps `specificity`; arguments as in `auc`."""
    descending = np.argsort(-scores)
    ends_of_ties = np.append(np.flatnonzero(np.diff(scores[descending])), len(scores) - 1)
    ordered, positive = weights[:, descending], positive[descending]
    true_positives = np.cumsum(ordered * positive, axis=1)
    false_positives = np.cumsum(ordered * ~positive, axis=1)
    positives, negatives = true_positives[:, -1], false_positives[:, -1]
    allowed = false_positives[:, ends_of_ties] <= (1 - specificity) * negatives[:, None] + 1e-9
    best = np.where(allowed, true_positives[:, ends_of_ties], 0.0).max(axis=1)
    return np.where(negatives > 0, ratio(best, positives), np.nan)


def calibration_error(
    bins: np.ndarray, confidence: np.ndarray, correct: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Expected calibration error (R,) from each image's bin, confidence and whether it is right, all (N,)."""
    gaps = np.eye(bins.max() + 1)[bins] * (correct - confidence)[:, None]
    errors: np.ndarray = np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1)
    return errors


def macro_mean(figures: np.ndarray) -> np.ndarray:
    """Mean (R,) over the classes of `figures` (R, C) that are defined in the resample."""
    return ratio(np.nansum(figures, axis=1), np.count_nonzero(~np.isnan(figures), axis=1))


def ratio(numerator: np.ndarray, denominator: np.ndarray, empty: float = np.nan) -> np.ndarray:
    """`numerator / denominator`, and `empty` where the denominator is 0."""
    quotient = np.full(np.shape(numerator), empty)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
