"""OOD scores: how much an image looks like those of the training, from what the networks return anyway.

`AppearanceDetector` holds a mixture of Gaussians of `classification.appearance`, and rules that know certain kinds of
other images: skin without a lesion, and pictures of anything. Its score is the logarithm of an image's density, or less
where a rule speaks. `OODDetector` is that of bundles that were not calibrated on images, and has two signs, each the
larger the more familiar an image is:

- the energy of the logits, which tells how strongly the image speaks for any class at all (Liu et al. 2020,
  "Energy-based out-of-distribution detection", arXiv 2010.03759);
- the unevenness of the class activation map: in a lesion the evidence for a class has its place, in a plain colour or a
  page of text it has none.

Each is counted in standard deviations from its mean over the validation images, and their sum is the score.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

UNFAMILIAR_PART = 0.01  # of the validation images
SMALLEST_DEVIATION = 1e-6
COMPONENTS, REGULARISATION = 3, 0.05
RULE_PENALTY = 0.1
FARTHEST, SQUARES_SHARE = 8.0, 1 / 3
ARRAYS = ("mean", "deviation", "weights", "centres", "factors", "rules", "biases")


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
    """The scales of an OOD score's two parts, and the threshold below which an image is called unlike the training's.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> logits, maps = rng.normal(size=(200, 7)), rng.normal(size=(200, 5, 5, 7))  # of validation images
    >>> detector = OODDetector.fit(logits, maps, unfamiliar_part=0.05)
    >>> bool(detector.score(logits[0] - 9, 0 * maps[0]) < detector.threshold)  # of an image without any evidence
    True
    >>> int((detector.score(logits, maps) < detector.threshold).sum())
    10
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


@dataclass(frozen=True)
class AppearanceDetector:
    """A mixture of K Gaussians of appearances (D numbers), R rules, and the score under which an image is unlike.

    Attributes
    ----------
    mean, deviation : float arrays (D,)
        By which appearances are standardised.
    weights : float array (K,)
    centres : float array (K, D), of the Gaussians, standardised
    factors : float array (K, D, D), of their precisions: `factor @ factor.T` is a precision
    rules : float array (R, 2 D)
        Weights of `spread_out` appearances. Their sum, with the rule's bias, is over 0 for the images that it knows;
        it is as large as the logarithm of the density, so that the two can be compared.
    biases : float array (R,)
    threshold : float
    """

    mean: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    centres: np.ndarray
    factors: np.ndarray
    rules: np.ndarray
    biases: np.ndarray
    threshold: float

    @classmethod
    def fit(
        cls,
        appearances: np.ndarray,
        unseen: np.ndarray,
        others: Sequence[np.ndarray] = (),
        *,
        components: int = COMPONENTS,
        unlike_part: float = UNFAMILIAR_PART,
        seed: int = 0,
    ) -> Self:
        """Fit the mixture to images of the training, and the threshold to others.

        Parameters
        ----------
        appearances : float array (N, D)
        unseen : float array (M, D), of images that were not trained on
        others : sequence of float arrays (S, D)
            Of one kind of image each that is no photograph of a lesion; a rule is fitted for each.
        components : K
        unlike_part : part of the unseen images that the threshold may call unlike the training images, 0..1
        seed : of the mixture's start
        """
        from sklearn.mixture import GaussianMixture  # noqa: PLC0415 - prediction does without it

        mean, deviation = appearances.mean(axis=0), appearances.std(axis=0) + SMALLEST_DEVIATION
        usual, new = (appearances - mean) / deviation, (unseen - mean) / deviation
        mixture = GaussianMixture(components, reg_covar=REGULARISATION, random_state=seed, n_init=2)
        mixture.fit(usual)
        gaussians = (mixture.weights_, mixture.means_, mixture.precisions_cholesky_)
        detector = cls(
            mean, deviation, *gaussians, np.zeros((0, 2 * len(mean))), np.zeros(0), threshold=-np.inf
        )
        densities = np.array([detector.density(numbers) for numbers in new])
        kinds = [kind for kind in others if len(kind)]
        each = unlike_part / (1 + len(kinds))
        rules = [_rule(usual, (kind - mean) / deviation) for kind in kinds]
        sums = [spread_out(new) @ rule for rule in rules]
        scales = [densities.std() / (found.std() + SMALLEST_DEVIATION) for found in sums]
        return replace(
            detector,
            rules=np.array([scale * rule for scale, rule in zip(scales, rules, strict=True)]).reshape(
                -1, 2 * len(mean)
            ),
            biases=np.array(
                [-scale * np.quantile(found, 1 - each) for scale, found in zip(scales, sums, strict=True)]
            ),
            threshold=float(np.quantile(densities, each)),
        )

    def score(self, appearance: np.ndarray) -> float:
        """How usual one appearance (D,) is: the logarithm of its density, up to a constant, or less by a rule."""
        standardised = (appearance - self.mean) / self.deviation
        strangeness = self.rules @ spread_out(standardised) + self.biases
        return float(min([self.density(standardised), *(self.threshold - strangeness)]))

    def density(self, standardised: np.ndarray) -> float:
        """Logarithm of the mixture's density at a standardised appearance (D,), up to a constant."""
        distances = np.einsum("kd,kde->ke", standardised - self.centres, self.factors)
        determinants = np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1)
        return float(energy(np.log(self.weights) + determinants - (distances**2).sum(axis=1) / 2))

    def to_dict(self) -> dict[str, Any]:
        """For `bundle.json`."""
        arrays = {name: np.round(getattr(self, name), 6).tolist() for name in ARRAYS}
        return {**arrays, "threshold": self.threshold}


def spread_out(standardised: np.ndarray) -> np.ndarray:
    """Standardised appearances (..., D), not farther than 8 from 0, and a third of their squares (..., 2 D)."""
    near = np.clip(standardised, -FARTHEST, FARTHEST)
    return np.concatenate([near, SQUARES_SHARE * near**2], axis=-1)


def _rule(usual: np.ndarray, strange: np.ndarray) -> np.ndarray:
    """Weights (2 D,) of a logistic regression of strange against usual images, both standardised."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - prediction does without it

    regression = LogisticRegression(C=RULE_PENALTY, class_weight="balanced", max_iter=5000)
    regression.fit(spread_out(np.vstack([usual, strange])), np.repeat([0, 1], [len(usual), len(strange)]))
    return np.asarray(regression.coef_[0])


def energy(logits: np.ndarray) -> np.ndarray:
    """Logarithm of the summed exponentials of logits (..., C); Liu's energy with the opposite sign."""
    logits = np.asarray(logits, float)
    largest = logits.max(axis=-1)
    return np.asarray(largest + np.log(np.exp(logits - largest[..., None]).sum(axis=-1)))


def unevenness(activation_maps: np.ndarray) -> np.ndarray:
    """Logarithm of the standard deviation over places, averaged over the classes, of maps (..., h, w, C)."""
    deviations = np.asarray(activation_maps, float).std(axis=(-3, -2)).mean(axis=-1)
    return np.asarray(np.log(deviations + SMALLEST_DEVIATION))
