"""Class priors: which shares of the classes a classifier has learned, and how much of the true ones it answers with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.metrics import balanced_accuracy_score, f1_score

from classification.calibration import expected_calibration_error, fit_temperature
from data.batches import SAMPLINGS, sampling_weights

STRENGTHS = tuple(np.round(np.arange(0, 1.01, 0.1), 1).tolist())
ALIKE = ("logit-adjustment", "class-weights")  # their losses make all classes equally frequent


@dataclass(frozen=True, eq=False)
class ClassPrior:
    """The shares of the classes that a classifier has learned, and those that it answers with.

    Logits of a network hold the logarithm of the shares in which its training showed the classes. To answer with
    others, the learned ones are taken off and the others added (Saerens et al. 2002, Neural Computation 14:21).

    Attributes
    ----------
    learned : float array (C,)
        Logarithms of the shares in the training, all 0 where its loss makes the classes equally frequent.
    shares : float array (C,)
        Logarithms of the shares in validation.
    strength : float in 0..1, or None
        The part of `shares` that the logits shall have; None leaves them as they were learned.
    """

    learned: np.ndarray
    shares: np.ndarray
    strength: float | None

    def shift(self, strength: float | None = None) -> np.ndarray:
        """What to add to the logits (C,), for another strength where one is given."""
        chosen = self.strength if strength is None else strength
        shift: np.ndarray = (
            np.zeros(len(self.shares)) if chosen is None else chosen * self.shares - self.learned
        )
        return shift

    def to_metrics(self) -> dict[str, Any]:
        """The form in which `metrics.json` keeps it."""
        return {
            "prior_strength": self.strength,
            "prior_shift": self.shift().tolist(),
            "log_shares": self.shares.tolist(),
            "learned_log_shares": self.learned.tolist(),
        }

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, Any]) -> "ClassPrior | None":
        """Read it back; None where a run keeps none. Earlier versions kept the strength and its shift alone."""
        strength = metrics.get("prior_strength")
        if "log_shares" in metrics:
            return cls(np.array(metrics["learned_log_shares"]), np.array(metrics["log_shares"]), strength)
        if not strength:
            return None
        shares = np.array(metrics["prior_shift"]) / strength
        return cls(np.zeros(len(shares)), shares, strength)


def log_shares(labels: np.ndarray, classes: int, image_weights: np.ndarray | None = None) -> np.ndarray:
    """Logarithm (C,) of each class's share among the labels (N,), with one image more in each class."""
    counts = np.bincount(labels, weights=image_weights, minlength=classes) + 1.0
    shares: np.ndarray = np.log(counts / counts.sum())
    return shares


def learned_log_shares(
    imbalance: str, labels: np.ndarray, classes: int, image_weights: np.ndarray | None = None
) -> np.ndarray | None:
    """Logarithm (C,) of the shares in which a training shows the classes; None where its loss leaves no such shares.

    Parameters
    ----------
    imbalance : str
        See `ClassificationConfig`.
    labels : int array (N,)
        Of the training images.
    classes : int
        C
    image_weights : float array (N,), optional
        How many times as often each is drawn.
    """
    if imbalance == "focal":
        return None
    if imbalance in ALIKE:
        return np.zeros(classes)
    weights = sampling_weights(labels, imbalance if imbalance in SAMPLINGS else "natural", image_weights)
    return log_shares(labels, classes, None if weights is None else weights / weights.mean())


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
