"""An image is unlike the training images where it speaks for no class, or where its evidence has no place."""

import subprocess
import sys

import numpy as np
import pytest

from classification.ood import OODDetector, energy, unevenness


def lesions(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, 3) and maps (N, 4, 4, 3) of images that speak for one class, and do so in the middle."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 0.5, (count, 3))
    logits[np.arange(count), rng.integers(0, 3, count)] += 4
    maps = rng.normal(0, 0.5, (count, 4, 4, 3))
    maps[:, 1:3, 1:3] += logits[:, None, None]
    return logits, maps


@pytest.fixture(scope="module")
def detector() -> OODDetector:
    return OODDetector.fit(*lesions(1000, seed=0))


def test_the_energy_is_the_logarithm_of_the_summed_exponentials_of_the_logits() -> None:
    np.testing.assert_allclose(energy(np.log([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]])), np.log([8.0, 4.0]))
    assert energy(np.array([1000.0, 0.0])) == 1000


def test_the_unevenness_looks_at_places_and_not_at_differences_between_classes() -> None:
    flat = np.tile([1.0, 5.0, -3.0], (4, 4, 1))
    chequered = np.indices((4, 4)).sum(axis=0) % 2 * 2.0  # deviation 1
    assert unevenness(flat) < np.log(1e-5)
    assert unevenness(flat + chequered[:, :, None]) == pytest.approx(0, abs=1e-5)


def test_the_asked_for_part_of_the_images_is_unfamiliar(detector: OODDetector) -> None:
    assert (detector.score(*lesions(1000, seed=0)) < detector.threshold).mean() == 0.01
    assert (detector.score(*lesions(1000, seed=1)) < detector.threshold).mean() < 0.03


def test_weak_logits_are_unfamiliar_even_where_the_map_is_not(detector: OODDetector) -> None:
    _, maps = lesions(1, seed=1)
    assert detector.score(np.full((1, 3), -2.0), maps) < detector.threshold


def test_evidence_without_a_place_is_unfamiliar_however_strong_the_logits_are(
    detector: OODDetector,
) -> None:
    logits, maps = lesions(1, seed=1)
    everywhere = np.broadcast_to(maps.mean(axis=(1, 2), keepdims=True), maps.shape)
    assert detector.score(logits, everywhere) < detector.threshold


def test_one_image_scores_as_it_does_among_many(detector: OODDetector) -> None:
    logits, maps = lesions(3, seed=2)
    assert detector.score(logits[1], maps[1]) == pytest.approx(detector.score(logits, maps)[1])


def test_maps_of_one_place_leave_the_verdict_to_the_energy() -> None:
    logits, _ = lesions(100, seed=0)
    detector = OODDetector.fit(logits, np.zeros((100, 1, 1, 3)))
    assert detector.score(logits[0], np.zeros((1, 1, 3))) > detector.threshold
    assert detector.score(np.full(3, -2.0), np.zeros((1, 1, 3))) < detector.threshold


def test_the_prediction_needs_no_training_library_for_it() -> None:
    heavy = "{'keras', 'tensorflow', 'sklearn', 'scipy', 'pandas'}"
    code = f"import sys, classification.ood; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
