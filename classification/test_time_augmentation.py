"""Test-time augmentation: a view as it is, mirrored along either axis, and turned by half. A lesion has no upright.

It multiplies the classifier's work by four. Where the first look is sure the others hardly ever change the answer, so
that most of the gain can be had for a small part of the work: a second look only where the first one is unsure.
"""

from collections.abc import Sequence

import numpy as np

from classification.probabilities import softmax

# The part of the validation images that get a second look, if nobody says otherwise.
AGAIN = 0.15
FLIPS = ((1, 1), (1, -1), (-1, 1), (-1, -1))  # steps along rows and columns; each is its own inverse


def flips_of(view: np.ndarray) -> list[np.ndarray]:
    """The view (..., H, W, C) itself and its three other flips, as array views, in the order of `FLIPS`."""
    return [view[..., ::rows, ::columns, :] for rows, columns in FLIPS]


def averaged_over_flips(answers: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of what a classifier says of `flips_of` a view, or of the first of them alone.

    Parameters
    ----------
    answers : sequence of (logits (C,), activation map (h, w, C)), in the order of `FLIPS`

    Returns
    -------
    Mean logits (C,), and mean activation map (h, w, C) as the view itself lies.
    """
    maps = [
        activation_map[::rows, ::columns]
        for (_, activation_map), (rows, columns) in zip(answers, FLIPS, strict=False)
    ]
    return np.mean([logits for logits, _ in answers], axis=0), np.mean(maps, axis=0)


def is_unsure(logits: np.ndarray, temperature: float, below: float) -> np.ndarray:
    """Whether a first look asks for a second one: its calibrated confidence is under `below`.

    Parameters
    ----------
    logits : float array (..., C), of the view as it is
    temperature : float, that calibrates them
    below : float in 0..1

    Returns
    -------
    bool array (...)
    """
    unsure: np.ndarray = softmax(logits / temperature).max(axis=-1) < below
    return unsure


def confidence_of_part(logits: np.ndarray, temperature: float, part: float) -> float:
    """The confidence in 0..1 under which `part` of the first looks (N, C) lie."""
    return float(np.quantile(softmax(logits / temperature).max(axis=-1), part))


def after_second_look(
    first: np.ndarray, averaged: np.ndarray, temperature: float, below: float
) -> np.ndarray:
    """Logits (N, C): those of the first look, and those averaged over flips where it was unsure, see `is_unsure`."""
    unsure = is_unsure(first, temperature, below)
    return np.where(unsure[:, np.newaxis], averaged, first)
