"""Figures of an arm and paired differences between arms, with intervals over lesions and over seeds.

Two things make a measured difference uncertain: which lesions are in the test set, and how the trainings happened to
go. The bootstrap over lesions gives the first variance, the variance between seeds the second; both are added, and a
t distribution with Satterthwaite's degrees of freedom [1]_ gives interval and p-value. A variance between seeds holds
some of the lesions' noise, too, so that the sum errs on the careful side.

References
----------
.. [1] Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics 2 (1946) 110-114.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from classification import bootstrap
from data.intervals import CONFIDENCE, Interval

AVERAGES = ("balanced_accuracy", "macro_f1", "accuracy")


@dataclass(frozen=True)
class Estimate:
    """A figure, or a difference of figures, on average over seeds.

    Attributes
    ----------
    value : mean over the seeds
    low, high : bounds of the 95% interval over lesions and seeds
    p : two-sided p-value of the value being 0; undefined, like the bounds, for fewer than two lesions
    seeds : the value of each seed
    over_lesions : percentile interval of the bootstrap over lesions alone, for these very trainings
    """

    value: float
    low: float
    high: float
    p: float
    seeds: tuple[float, ...]
    over_lesions: Interval

    @classmethod
    def from_resamples(
        cls, seeds: np.ndarray, resamples: np.ndarray, lesions: int, least: float = -1.0, most: float = 1.0
    ) -> "Estimate":
        """The estimate and its interval.

        Parameters
        ----------
        seeds : float array (S,), the value of each seed
        resamples : float array (S, R), the same under R bootstrap resamples
        lesions : number of lesions that the bootstrap draws from
        least, most : what the figure can be; the interval ends there
        """
        value, means = float(np.mean(seeds)), resamples.mean(axis=0)
        over_lesions = Interval.from_resamples(value, means)
        defined = means[~np.isnan(means)]
        if np.isnan(value) or len(defined) < 2 or lesions < 2:
            return cls(value, np.nan, np.nan, np.nan, tuple(map(float, seeds)), over_lesions)
        variances = np.array([defined.var(ddof=1), seeds.var(ddof=1) / len(seeds) if len(seeds) > 1 else 0.0])
        error = float(np.sqrt(variances.sum()))
        if error < 1e-12:
            # Nothing varies. As many lesions that all agree by chance are no rarer than in a sign test.
            p = 1.0 if abs(value) < 1e-12 else 2.0 ** (1 - lesions)
            return cls(value, value, value, p, tuple(map(float, seeds)), over_lesions)
        freedom = variances.sum() ** 2 / (variances**2 / np.maximum([lesions - 1, len(seeds) - 1], 1)).sum()
        reach = float(student.ppf((1 + CONFIDENCE) / 2, freedom)) * error
        p = float(2 * student.sf(abs(value) / error, freedom))
        low, high = max(least, value - reach), min(most, value + reach)
        return cls(value, low, high, p, tuple(map(float, seeds)), over_lesions)

    def to_dict(self, *, difference: bool = True) -> dict[str, Any]:
        """For `comparison.json`; None where not defined, and without a p-value where the figure is no difference."""
        figures = {"value": self.value, "low": self.low, "high": self.high}
        if difference:
            figures["p"] = self.p
        return {
            **{name: None if np.isnan(figure) else figure for name, figure in figures.items()},
            "seeds": [None if np.isnan(value) else value for value in self.seeds],
            "over_lesions": self.over_lesions.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class Figures:
    """All figures of one arm on the same images.

    Attributes
    ----------
    names : the averages, then each class's F1 as `f1_<class>`
    seeds : float array (S, F)
    resamples : float array (S, R, F), under the bootstrap weights
    lesions : number of lesions among the images
    """

    names: tuple[str, ...]
    seeds: np.ndarray
    resamples: np.ndarray
    lesions: int

    @classmethod
    def from_diagnoses(
        cls,
        diagnoses: np.ndarray,
        labels: np.ndarray,
        lesion_ids: Sequence[str] | np.ndarray,
        classes: Sequence[str],
        weights: np.ndarray,
    ) -> "Figures":
        """From class indices `diagnoses` (S, N) and `labels` (N,), and bootstrap `weights` (R, N) over lesions."""
        all_weights = np.concatenate([np.ones((1, len(labels))), weights])
        figures = np.stack([_figures(seed, labels, len(classes), all_weights) for seed in diagnoses])
        names = (*AVERAGES, *(f"f1_{code}" for code in classes))
        return cls(names, figures[:, 0], figures[:, 1:], len(set(lesion_ids)))

    def estimate(self, name: str) -> Estimate:
        """One figure of this arm."""
        column = self.names.index(name)
        return Estimate.from_resamples(
            self.seeds[:, column], self.resamples[:, :, column], self.lesions, least=0.0
        )

    def difference(self, other: "Figures", name: str) -> Estimate:
        """The figure of this arm minus that of another one, seed by seed and resample by resample."""
        column = self.names.index(name)
        return Estimate.from_resamples(
            (self.seeds - other.seeds)[:, column],
            (self.resamples - other.resamples)[:, :, column],
            self.lesions,
        )


def _figures(diagnoses: np.ndarray, labels: np.ndarray, classes: int, weights: np.ndarray) -> np.ndarray:
    """(R, F) figures of one seed's diagnoses (N,)."""
    confusions = bootstrap.confusion_matrices(labels, diagnoses, classes, weights)
    _, recall, f1 = bootstrap.precision_recall_f1(confusions)
    accuracy = bootstrap.ratio(weights @ (diagnoses == labels), weights.sum(axis=1))
    return np.column_stack([bootstrap.macro_mean(recall), bootstrap.macro_mean(f1), accuracy, f1])


class McNemar(NamedTuple):
    """McNemar's exact test of two arms' accuracies, one image a lesion.

    `only_first` and `only_second` count, for each seed, the lesions that only the one arm names rightly; `p_of_seeds`
    are the seeds' p-values and `p` is twice their median, which is a p-value however the seeds depend on each other
    (Meinshausen, Meier and Bühlmann 2009).
    """

    only_first: tuple[int, ...]
    only_second: tuple[int, ...]
    p_of_seeds: tuple[float, ...]
    p: float


def mcnemar_test(
    first: np.ndarray, second: np.ndarray, labels: np.ndarray, lesion_ids: Sequence[str] | np.ndarray
) -> McNemar:
    """Compare the diagnoses `first` and `second`, class indices (S, N), with `labels` (N,).

    Images of a lesion depend on each other, so the first image of each stands for it.
    """
    chosen = ~pd.Series(np.asarray(lesion_ids)).duplicated().to_numpy()
    right, wrong = (diagnoses[:, chosen] == labels[chosen] for diagnoses in (first, second))
    only_first = np.count_nonzero(right & ~wrong, axis=1)
    only_second = np.count_nonzero(~right & wrong, axis=1)
    p_of_seeds = [
        float(mcnemar([[0, one], [other, 0]], exact=True).pvalue)
        for one, other in zip(only_first, only_second, strict=True)
    ]
    doubled = 1 if len(p_of_seeds) == 1 else 2
    return McNemar(
        tuple(only_first.tolist()),
        tuple(only_second.tolist()),
        tuple(p_of_seeds),
        min(1.0, doubled * float(np.median(p_of_seeds))),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted by Holm's step-down method (Holm 1979) for being so many."""
    return multipletests(p_values, method="holm")[1].tolist() if len(p_values) else []
