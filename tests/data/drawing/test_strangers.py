"""Drawn pictures that are no dermoscopy."""

import numpy as np

from data.drawing.strangers import SIZE, strange_pictures


def test_pictures_are_the_same_for_a_seed_and_differ_from_each_other() -> None:
    pictures, again, others = (list(strange_pictures(12, seed)) for seed in (1, 1, 2))
    assert all(picture.shape == (*SIZE, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert np.array_equal(pictures, again)
    assert len({picture.tobytes() for picture in pictures + others}) == 24


def test_they_have_the_spectrum_of_photographs() -> None:
    """Their energy falls with the frequency: coarse differences are larger than those of neighbouring pixels."""
    for picture in strange_pictures(12, seed=4):
        grey = picture.astype(float).mean(axis=-1)
        assert np.abs(grey[:, 40:] - grey[:, :-40]).mean() > np.abs(grey[:, 1:] - grey[:, :-1]).mean()
