"""Appearance features: 29 numbers from what both networks return for an image."""

from typing import NamedTuple

import numpy as np

from classification.ood import energy, unevenness

NEAR, FAR = 1, 4  # pixels of the segmentation's input, over which grey levels are compared
SMALLEST = 1e-3
APPEARANCE_NUMBERS = 29


class Seen(NamedTuple):
    """What the networks saw of an image and what they said.

    Attributes
    ----------
    image : uint8 array (h, w, 3)
        The segmentation's input.
    probability : float array (h, w) in 0..1
        Its output.
    logits : float array (C,)
    activation_map : float array (h', w', C)
    """

    image: np.ndarray
    probability: np.ndarray
    logits: np.ndarray
    activation_map: np.ndarray


def appearance(seen: Seen, threshold: float) -> np.ndarray:
    """Numbers (29,) in which images that are no dermoscopy differ from those that are.

    How strongly and where the classifier answers (4), how large, sure and sharp the mask is (4), mean and deviation of
    the colour over all of the image, outside and inside the mask (18), the distance of the colours inside and outside
    (1), and how much neighbouring and farther pixels differ (2).

    Parameters
    ----------
    seen : Seen
    threshold : float in 0..1
        Lesion probability from which a pixel belongs to the mask.
    """
    colours = seen.image.astype(np.float64) / 255
    lesion = seen.probability >= threshold
    inside, outside = _statistics(colours, lesion), _statistics(colours, ~lesion)
    return np.concatenate(
        [
            _of_the_classifier(seen.logits, seen.activation_map),
            _of_the_mask(seen.probability.astype(np.float64), lesion),
            _statistics(colours, np.ones_like(lesion)),
            outside,
            inside,
            [np.linalg.norm(inside[:3] - outside[:3]), *_detail(colours.mean(axis=2))],
        ]
    )


def _of_the_classifier(logits: np.ndarray, activation_map: np.ndarray) -> list[float]:
    return [
        float(energy(logits)),
        float(unevenness(activation_map)),
        float(activation_map.max()),
        float(activation_map.std(axis=(0, 1)).max()),
    ]


def _of_the_mask(probability: np.ndarray, lesion: np.ndarray) -> list[float]:
    sure = probability[lesion].mean() if lesion.any() else 0.0
    doubt = (probability * (1 - probability)).mean()
    return [float(np.log(lesion.mean() + SMALLEST)), float(doubt), float(sure), float(probability.max())]


def _statistics(colours: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each channel (6,) over the pixels of `where`, or over all where there are none."""
    pixels = colours[where] if where.any() else colours.reshape(-1, 3)
    return np.concatenate([pixels.mean(axis=0), pixels.std(axis=0)])


def _detail(grey: np.ndarray) -> list[float]:
    return [
        float(np.log(_difference(grey, step) + _difference(grey.T, step) + SMALLEST)) for step in (NEAR, FAR)
    ]


def _difference(grey: np.ndarray, step: int) -> float:
    """Mean absolute difference of pixels that lie `step` rows apart."""
    return float(np.abs(grey[step:] - grey[:-step]).mean())
