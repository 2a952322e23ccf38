"""Whether a converted model says what the trained one says."""

from dataclasses import dataclass

import numpy as np

# The largest mean and the largest single difference of a probability from Keras's, over all samples.
TOLERANCES = {"float32": (1e-5, 1e-3), "float16": (5e-3, 0.3), "int8": (0.01, 0.5)}


_MENDS = {
    "int8": "give --precision float16 or float32, or train for more epochs: a model that was trained for few has ranges"
    " that 8 bits hold badly",
    "float16": "give --precision float32",
}


class ExportError(Exception):
    """A model that can't be converted, or that does not say what the trained one says once it is."""


@dataclass(frozen=True)
class Parity:
    """Differences of probabilities between a converted model and its Keras model, on the same inputs."""

    mean: float
    largest: float
    same_class: float | None = None  # part of the samples with the same diagnosis

    def to_dict(self) -> dict[str, float | None]:
        return {"mean": self.mean, "largest": self.largest, "same_class": self.same_class}


def check_parity(
    what: str,
    precision: str,
    differences: np.ndarray,
    same_class: float | None = None,
    tolerance: tuple[float, float] | None = None,
) -> Parity:
    """Refuse a converted model that differs too much.

    Parameters
    ----------
    what : how a message calls the model
    precision : "float32", "float16" or "int8"
    differences : array of any shape
        Absolute differences of probabilities from Keras's.
    same_class : float, optional
        Part of the samples with the same diagnosis.
    tolerance : (mean, largest), optional
        By default that of `TOLERANCES`.

    Raises
    ------
    ExportError
    """
    if not np.isfinite(differences).all():
        raise ExportError(
            f"{what} says what is no number for some of its samples; train it anew with a lower --learning-rate."
        )
    parity = Parity(float(differences.mean()), float(differences.max()), same_class)
    most_mean, most = tolerance or TOLERANCES[precision]
    if parity.mean > most_mean or parity.largest > most:
        raise ExportError(
            f"{what} in {precision} differs from Keras by {parity.mean:.2g} on average and {parity.largest:.2g} at "
            f"most (allowed: {most_mean:g} and {most:g}); {_MENDS.get(precision, 'report it as a bug')}."
        )
    return parity
