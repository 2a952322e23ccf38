"""Confidence intervals by bootstrap over lesions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% confidence interval.

    A bound, or the value itself, is NaN where it is not defined: the recall of a class that has no image, or
    the bounds of a figure that was not bootstrapped.
    """

    value: float
    low: float
    high: float

    @classmethod
    def from_resamples(cls, value: float, resamples: np.ndarray) -> "Interval":
        """Percentile interval of bootstrap `resamples` (R,); those that are NaN are left out."""
        defined = resamples[~np.isnan(resamples)]
        if np.isnan(value) or not defined.size:
            return cls(float(value), np.nan, np.nan)
        tail = 100 * (1 - CONFIDENCE) / 2
        low, high = np.percentile(defined, [tail, 100 - tail])
        return cls(float(value), float(low), float(high))

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "-"
        if np.isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"

    def to_dict(self) -> dict[str, float | None]:
        """`value`, `low` and `high`, None where not defined: JSON knows no NaN."""
        figures = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if np.isnan(figure) else figure for name, figure in figures.items()}


def lesion_weights(lesion_ids: Sequence[str] | np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """How often each image is drawn when whole lesions are drawn with replacement.

    The images of a lesion are alike, so that drawing single images would make intervals too narrow. Each
    resample draws as many lesions as there are [1]_.

    Parameters
    ----------
    lesion_ids : sequence of N identifiers; none is missing
    resamples : number of bootstrap resamples, R
    seed : of the draw

    Returns
    -------
    float array (R, N) of whole numbers; float because the weights go into matrix products.

    References
    ----------
    .. [1] Field and Welsh, "Bootstrapping clustered data", J. R. Statist. Soc. B 69 (2007) 369-390.
    """
    lesion_of_image, lesions = pd.factorize(np.asarray(lesion_ids))
    if (lesion_of_image < 0).any():
        raise ValueError("every image needs a lesion id; fall back to its image id")
    if not len(lesions):
        raise ValueError("there are no lesions to draw from")
    draws = np.random.default_rng(seed).multinomial(
        len(lesions), np.full(len(lesions), 1 / len(lesions)), resamples
    )
    return draws[:, lesion_of_image].astype(float)


def mean_interval(values: np.ndarray, weights: np.ndarray) -> Interval:
    """Mean of per-image `values` (N,) with its interval under bootstrap `weights` (R, N)."""
    return Interval.from_resamples(float(np.mean(values)), weights @ values / weights.sum(axis=1))
