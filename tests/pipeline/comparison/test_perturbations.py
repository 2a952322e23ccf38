"""Perturbed images: something is drawn on them, or the framing changes and the mask with it."""

import numpy as np
import pytest

from pipeline.comparison.perturbations import PERTURBATIONS, reframed, spread


def disc_image(height: int = 90, width: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc of radius 15 in the middle of pale skin, and its mask."""
    rows, columns = np.mgrid[:height, :width]
    mask = (rows - height // 2) ** 2 + (columns - width // 2) ** 2 <= 15**2
    return np.where(mask[..., None], np.uint8((90, 50, 40)), np.uint8((220, 180, 170))), mask


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_perturbation_is_seen_and_repeats_itself_for_an_image(name: str) -> None:
    image, mask = disc_image()
    first, _ = PERTURBATIONS[name](image, mask, "a")
    again, _ = PERTURBATIONS[name](image, mask, "a")
    other, _ = PERTURBATIONS[name](image, mask, "b")
    assert (first.shape, first.dtype) == (image.shape, np.uint8)
    assert (first != image).any()
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("name", ["ink", "ruler", "hair", "vignette"])
def test_what_covers_an_image_leaves_its_mask_and_most_of_it(name: str) -> None:
    image, mask = disc_image()
    perturbed, moved = PERTURBATIONS[name](image, mask, "a")
    assert moved is mask
    assert (np.abs(perturbed.astype(int) - image).max(axis=2) < 5).mean() > 0.6


def test_a_shift_moves_image_and_mask_together() -> None:
    image, mask = disc_image()
    shifted, moved = reframed(image, mask, scale=1.0, shift=np.array([0.2, 0.1]))
    rows, columns = np.nonzero(moved)
    assert (rows.mean() - 45, columns.mean() - 60) == pytest.approx((9, 18), abs=0.6)
    assert (shifted[moved] == (90, 50, 40)).all(axis=1).mean() > 0.9


def test_zooming_out_shows_the_lesion_at_half_its_size_on_skin_to_the_edge() -> None:
    image, mask = disc_image()
    small, moved = reframed(image, mask, scale=0.5, shift=np.zeros(2))
    assert moved.sum() == pytest.approx(mask.sum() / 4, rel=0.1)
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    assert np.abs(edge.astype(int) - (220, 180, 170)).max() < 6


def test_a_missing_mask_stays_missing() -> None:
    image, _ = disc_image()
    assert PERTURBATIONS["off-centre"](image, None, "a")[1] is None


def test_the_unknown_is_filled_with_what_is_known_around() -> None:
    known = np.zeros((8, 8), np.float32)
    known[:, :4] = 1
    image = np.full((8, 8, 3), 100, np.float32) * known[..., None]
    assert spread(image, known) == pytest.approx(100, abs=0.01)
