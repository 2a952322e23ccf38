"""Segmentation metrics: how well a mask fits its reference, per image, then the mean over images.

The definitions are those of the ISIC challenges (Codella et al., arXiv 1902.03368). Pooling the pixels of all
images into one matrix would let large lesions hide the small ones that were missed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data.intervals import Interval, lesion_weights, mean_interval

JACCARD_THRESHOLD = 0.65


def jaccard(mask: np.ndarray, reference: np.ndarray) -> float:
    """Intersection over union of two bool masks (H, W), in 0..1; 1 for empty ones."""
    _check_shapes(mask, reference)
    union = np.count_nonzero(mask | reference)
    return np.count_nonzero(mask & reference) / union if union else 1.0


def dice(mask: np.ndarray, reference: np.ndarray) -> float:
    """Twice the intersection of two bool masks (H, W) over both areas, in 0..1; 1 for empty ones."""
    _check_shapes(mask, reference)
    areas = np.count_nonzero(mask) + np.count_nonzero(reference)
    return 2 * np.count_nonzero(mask & reference) / areas if areas else 1.0


def threshold_jaccard(value: np.ndarray | float, threshold: float = JACCARD_THRESHOLD) -> np.ndarray:
    """One Jaccard or an array of them, those under `threshold`, which an expert would redraw, as 0."""
    return np.where(np.asarray(value) >= threshold, value, 0.0)


def _check_shapes(mask: np.ndarray, reference: np.ndarray) -> None:
    if mask.shape != reference.shape:
        raise ValueError(
            f"the mask is {mask.shape} and its reference {reference.shape}: they must have one size"
        )


@dataclass(frozen=True)
class SegmentationScores:
    """Means over images, with 95% intervals by bootstrap over lesions."""

    jaccard: Interval
    dice: Interval
    threshold_jaccard: Interval
    count: int
    lesions: int

    @classmethod
    def from_values(
        cls,
        jaccards: Sequence[float] | np.ndarray,
        dices: Sequence[float] | np.ndarray,
        lesion_ids: Sequence[str] | np.ndarray,
        *,
        resamples: int = 1000,
        seed: int = 0,
    ) -> "SegmentationScores":
        """Scores of N images from each image's Jaccard, Dice and lesion."""
        per_image = np.asarray(jaccards, float)
        weights = lesion_weights(lesion_ids, resamples, seed)
        return cls(
            jaccard=mean_interval(per_image, weights),
            dice=mean_interval(np.asarray(dices, float), weights),
            threshold_jaccard=mean_interval(threshold_jaccard(per_image), weights),
            count=len(per_image),
            lesions=len(set(lesion_ids)),
        )

    @classmethod
    def from_masks(
        cls,
        masks: Iterable[np.ndarray],
        references: Iterable[np.ndarray],
        lesion_ids: Sequence[str] | np.ndarray,
        *,
        resamples: int = 1000,
        seed: int = 0,
    ) -> "SegmentationScores":
        """Scores of N pairs of bool masks; the two of a pair have one size, pairs may differ."""
        values = [(jaccard(*pair), dice(*pair)) for pair in zip(masks, references, strict=True)]
        jaccards, dices = np.array(values).reshape(-1, 2).T
        return cls.from_values(jaccards, dices, lesion_ids, resamples=resamples, seed=seed)

    def figures(self) -> dict[str, Interval]:
        """The figures by the names that a reader knows."""
        return {
            "Jaccard": self.jaccard,
            "Dice": self.dice,
            f"Threshold Jaccard ({JACCARD_THRESHOLD})": self.threshold_jaccard,
        }

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        return {
            "images": self.count,
            "lesions": self.lesions,
            "jaccard": self.jaccard.to_dict(),
            "dice": self.dice.to_dict(),
            "threshold_jaccard": self.threshold_jaccard.to_dict(),
        }

    def to_text(self) -> str:
        """An aligned table for the terminal."""
        table = pd.Series({name: str(figure) for name, figure in self.figures().items()})
        return f"Segmentation of {self.count} images, {self.lesions} lesions\n{table.to_string()}"
