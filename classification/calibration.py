"""Calibration: reliability bins, the expected calibration error, and temperature scaling.

Both after Guo et al., "On Calibration of Modern Neural Networks", arXiv 1706.04599 (2017).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from classification import bootstrap
from data.intervals import Interval

CALIBRATION_BINS = 15
TEMPERATURE_RANGE = (0.05, 20.0)


@dataclass(frozen=True)
class ReliabilityBins:
    """Confidence against accuracy in equal-width bins of confidence; bins without an image are NaN.

    Attributes
    ----------
    edges : float array (B + 1,); a bin holds the confidences over its lower and up to its upper edge
    count : int array (B,)
    confidence, accuracy : float arrays (B,), means over the bin's images
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    def to_dict(self) -> dict[str, list[float | None]]:
        """For `metrics.json`, None where a bin has no image."""
        return {
            name: [None if np.isnan(value) else value for value in values.tolist()]
            for name, values in vars(self).items()
        }

    @classmethod
    def from_dict(cls, bins: Mapping[str, Sequence[float | None]]) -> Self:
        """The bins that `to_dict` has written."""
        return cls(**{name: np.array(values, float) for name, values in bins.items()})


def reliability_bins(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS
) -> ReliabilityBins:
    """What a reliability diagram shows, from `probabilities` (N, C) and class indices `labels` (N,)."""
    index, confidence, correct = confidence_bins(probabilities, labels, bins)
    count = np.bincount(index, minlength=bins)
    return ReliabilityBins(
        edges=np.linspace(0, 1, bins + 1),
        count=count,
        confidence=bootstrap.ratio(np.bincount(index, confidence, bins), count),
        accuracy=bootstrap.ratio(np.bincount(index, correct, bins), count),
    )


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS
) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by the bins' images.

    Parameters
    ----------
    probabilities : float array (N, C); the confidence is the highest of a row
    labels : int array (N,), class indices
    bins : number of bins of confidence over 0..1
    """
    index, confidence, correct = confidence_bins(probabilities, labels, bins)
    return float(bootstrap.calibration_error(index, confidence, correct, np.ones((1, len(labels))))[0])


def calibration_interval(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Interval:
    """The expected calibration error with its interval under bootstrap `weights` (R, N).

    A resample is noisier than its set and so looks worse calibrated: the interval leans upwards.
    """
    resamples = bootstrap.calibration_error(*confidence_bins(probabilities, labels), weights)
    return Interval.from_resamples(expected_calibration_error(probabilities, labels), resamples)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature T for which softmax(logits / T) has the least negative log likelihood.

    Parameters
    ----------
    logits : float array (N, C), of images that the classifier was not trained on
    labels : int array (N,), class indices

    Returns
    -------
    float, over 1 for a classifier that is too sure of itself; kept within 0.05..20.
    """
    if not len(labels):
        raise ValueError("a temperature can't be fitted without images")

    def negative_log_likelihood(log_temperature: float) -> float:
        log_probabilities = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(log_probabilities[np.arange(len(labels)), labels].mean())

    return float(np.exp(minimize_scalar(negative_log_likelihood, bounds=np.log(TEMPERATURE_RANGE)).x))


def confidence_bins(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each image's bin index, confidence, and whether its diagnosis is right, all (N,)."""
    confidence = probabilities.max(axis=1)
    inner_edges = np.linspace(0, 1, bins + 1)[1:-1]
    return (
        np.digitize(confidence, inner_edges, right=True),
        confidence,
        probabilities.argmax(axis=1) == labels,
    )
