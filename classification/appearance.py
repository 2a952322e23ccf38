"""Appearance features: 29 numbers from what both networks return for an image."""

from typing import NamedTuple

import cv2
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
    lesion = (seen.probability >= threshold).view(np.uint8)
    inside, outside = _statistics(seen.image, lesion), _statistics(seen.image, 1 - lesion)
    return np.concatenate(
        [
            _of_the_classifier(seen.logits, seen.activation_map),
            _of_the_mask(seen.probability.astype(np.float64), lesion),
            _statistics(seen.image),
            outside,
            inside,
            [np.linalg.norm(inside[:3] - outside[:3]), *_detail(seen.image)],
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
    part = cv2.countNonZero(lesion) / lesion.size
    sure = cv2.mean(probability, lesion)[0]  # 0 without a lesion
    doubt = (probability * (1 - probability)).mean()
    return [float(np.log(part + SMALLEST)), float(doubt), float(sure), float(probability.max())]


def _statistics(image: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """Mean and standard deviation of each channel (6,) in 0..1, over the pixels where a uint8 mask (h, w) is not zero,
    or over all where there are none."""
    if where is not None and not cv2.countNonZero(where):
        where = None
    return np.concatenate(cv2.meanStdDev(image, mask=where))[:, 0] / 255


def _detail(image: np.ndarray) -> list[float]:
    red, green, blue = cv2.split(image)
    grey = cv2.add(cv2.add(red, green, dtype=cv2.CV_16S), blue, dtype=cv2.CV_16S)  # times 765
    return [
        float(
            np.log(
                _difference(grey[step:], grey[:-step])
                + _difference(grey[:, step:], grey[:, :-step])
                + SMALLEST
            )
        )
        for step in (NEAR, FAR)
    ]


def _difference(grey: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of grey levels, of which 765 is white."""
    return float(cv2.norm(grey, other, cv2.NORM_L1)) / (765 * grey.size)
