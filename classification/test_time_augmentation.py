"""Test-time augmentation: a view as it is, mirrored along either axis, and turned by half. A lesion has no upright."""

from collections.abc import Sequence

import numpy as np

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
