"""Class priors: how much the classes' shares count in a classifier that was trained as if all were equally frequent."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.metrics import balanced_accuracy_score, f1_score

from classification.calibration import expected_calibration_error, fit_temperature

STRENGTHS = tuple(np.round(np.arange(0, 1.01, 0.1), 1).tolist())


def prior_strengths(
    logits: np.ndarray, labels: np.ndarray, shares: np.ndarray, strengths: Sequence[float] = STRENGTHS
) -> list[dict[str, float]]:
    """What each strength of the prior is worth: `logits + strength * log(shares)`, each with its own temperature.

    Parameters
    ----------
    logits : float array (N, C)
    labels : int array (N,)
    shares : float array (C,), logarithms of the classes' shares
    strengths : in 0..1

    Returns
    -------
    list of dict
        `strength`, `temperature`, `log_likelihood` (mean over the images), `balanced_accuracy`, `macro_f1` and
        `calibration_error`.
    """
    return [worth(logits + strength * shares, labels) | {"strength": strength} for strength in strengths]


def likeliest(worths: Sequence[dict[str, float]]) -> float:
    """The strength under which the labels are likeliest."""
    return max(worths, key=lambda worth: worth["log_likelihood"])["strength"]


def worth(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What logits (N, C) say of labels (N,), with the temperature that fits them: the figures of `prior_strengths`."""
    temperature = fit_temperature(logits, labels)
    likelihoods = log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels]
    named = logits.argmax(axis=1)
    return {
        "temperature": temperature,
        "log_likelihood": float(likelihoods.mean()),
        "balanced_accuracy": float(balanced_accuracy_score(labels, named)),
        "macro_f1": float(f1_score(labels, named, average="macro")),
        "calibration_error": float(expected_calibration_error(softmax(logits / temperature, axis=1), labels)),
    }
