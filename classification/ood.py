"""Whether an image looks like those of the training, from what the classifier returns anyway.

Two signs, each the larger the more familiar an image is:

- the energy of the logits, which tells how strongly the image speaks for any class at all (Liu et al. 2020,
  "Energy-based out-of-distribution detection", arXiv 2010.03759);
- the unevenness of the class activation map: in a lesion the evidence for a class has its place, in a plain colour or a
  page of text it has none.

Each is counted in standard deviations from its mean over the validation images, and their sum is the familiarity.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

UNFAMILIAR_PART = 0.01  # of the validation images
SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of a figure over the validation images."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        return cls(float(values.mean()), max(float(values.std()), SMALLEST_DEVIATION))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """How many standard deviations each of the `values` lies above the mean."""
        return (values - self.mean) / self.deviation


@dataclass(frozen=True)
class OODDetector:
    """How familiar an image is, and the threshold below which it is called unlike the training images.

    Examples
    --------
    >>> familiarity = OODDetector.fit(validation_logits, validation_maps)
    >>> familiarity.score(logits, activation_map) < familiarity.threshold
    True
    """

    energy: Scale
    unevenness: Scale
    threshold: float

    @classmethod
    def fit(
        cls, logits: np.ndarray, activation_maps: np.ndarray, unfamiliar_part: float = UNFAMILIAR_PART
    ) -> Self:
        """Scales and threshold from images that the classifier was not trained on.

        Parameters
        ----------
        logits : float array (N, C), N > 0, before any temperature
        activation_maps : float array (N, h, w, C)
        unfamiliar_part : part of these images that the threshold may call unlike the training images, 0..1
        """
        scales = Scale.of(energy(logits)), Scale.of(unevenness(activation_maps))
        scores = cls(*scales, threshold=-np.inf).score(logits, activation_maps)
        return cls(*scales, threshold=float(np.quantile(scores, unfamiliar_part)))

    def score(self, logits: np.ndarray, activation_maps: np.ndarray) -> np.ndarray:
        """OOD score of one image, (C,) and (h, w, C), or of N, (N, C) and (N, h, w, C); 0 is the usual one."""
        return np.asarray(self.energy(energy(logits)) + self.unevenness(unevenness(activation_maps)))

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json` and `bundle.json`."""
        return asdict(self)


def energy(logits: np.ndarray) -> np.ndarray:
    """Logarithm of the summed exponentials of logits (..., C); Liu's energy with the opposite sign."""
    logits = np.asarray(logits, float)
    largest = logits.max(axis=-1)
    return np.asarray(largest + np.log(np.exp(logits - largest[..., None]).sum(axis=-1)))


def unevenness(activation_maps: np.ndarray) -> np.ndarray:
    """Logarithm of the standard deviation over places, averaged over the classes, of maps (..., h, w, C)."""
    deviations = np.asarray(activation_maps, float).std(axis=(-3, -2)).mean(axis=-1)
    return np.asarray(np.log(deviations + SMALLEST_DEVIATION))
