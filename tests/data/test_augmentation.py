"""Augmentation moves image and mask together and depends on its seed alone."""

import numpy as np
import pytest

from data.augmentation import Augmentation

STAGES = ("segmentation", "classification")


def spot(size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """A mask off the centre, so that every flip, turn and shift shows."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (((rows - 30) / 18) ** 2 + ((columns - 85) / 28) ** 2 < 1).astype(np.uint8) * 255


def as_image(mask: np.ndarray) -> np.ndarray:
    """Grey levels that the colour changes keep apart."""
    return np.repeat(np.where(mask > 127, 190, 60).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("seed", range(12))
def test_an_image_that_shows_its_mask_still_shows_it_afterwards(seed: int) -> None:
    augment = Augmentation("segmentation", "strong")
    image, mask = augment(as_image(spot()), spot(), seed=seed)
    assert mask is not None
    grey = image.mean(axis=2)
    shown = grey > (grey.min() + grey.max()) / 2
    lesion = mask > 127
    assert (shown & lesion).sum() / (shown | lesion).sum() > 0.93


def test_the_mask_really_moves() -> None:
    augment = Augmentation("segmentation", "light")
    masks = [augment(as_image(spot()), spot(), seed=seed)[1] for seed in range(12)]
    assert len({mask.tobytes() for mask in masks if mask is not None}) > 8


@pytest.mark.parametrize("stage", STAGES)
def test_a_seed_gives_the_same_image_whatever_came_before(stage: str) -> None:
    photograph = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    augment = Augmentation(stage, "strong")
    first, _ = augment(photograph, seed=7)
    others = [augment(photograph, seed=seed)[0] for seed in range(8, 12)]
    again, _ = augment(photograph, seed=7)
    assert np.array_equal(first, again)
    assert np.array_equal(first, Augmentation(stage, "strong")(photograph, seed=7)[0])
    assert not any(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("strength", ["none", "light", "strong"])
def test_type_and_size_stay_as_they_were(stage: str, strength: str) -> None:
    photograph = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    image, mask = Augmentation(stage, strength)(photograph, spot((64, 64)), seed=1)
    assert mask is not None
    assert image.shape == (64, 64, 3)
    assert mask.shape == (64, 64)
    assert image.dtype == mask.dtype == np.uint8


@pytest.mark.parametrize("stage", STAGES)
def test_without_augmentation_nothing_changes(stage: str) -> None:
    image, mask = Augmentation(stage, "none")(as_image(spot()), spot(), seed=3)
    assert np.array_equal(image, as_image(spot()))
    assert np.array_equal(mask, spot())


def test_a_lesion_keeps_its_colour_in_the_main() -> None:
    brown = np.full((64, 64, 3), (120, 80, 60), np.uint8)
    augment = Augmentation("classification", "light")
    changes = [
        np.abs(augment(brown, seed=seed)[0].mean(axis=(0, 1)) - brown[0, 0]).max() for seed in range(20)
    ]
    assert max(changes) < 50
