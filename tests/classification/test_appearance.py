"""What an image looks like to the networks tells dermoscopy from other images."""

import numpy as np
import pytest

from classification.appearance import APPEARANCE_NUMBERS, Seen, appearance
from classification.ood import AppearanceDetector
from data.drawing.dataset import draw_lesion
from data.drawing.strangers import strange_pictures
from data.resizing import resize

SIZE = (48, 64)


def seen(image: np.ndarray, mask: np.ndarray) -> Seen:
    rng = np.random.default_rng(int(image.sum()) % 1000)
    probability = np.where(resize(mask.view(np.uint8), SIZE) > 0, 0.95, 0.03)
    return Seen(resize(image, SIZE), probability, rng.normal(0, 1, 3), rng.normal(0, 1, (2, 2, 3)))


def drawn(count: int, first: int) -> np.ndarray:
    lesions = [
        draw_lesion(seed, ("nv", "mel", "bcc")[seed % 3], (96, 128)) for seed in range(first, first + count)
    ]
    return np.array([appearance(seen(lesion.image, lesion.mask), 0.5) for lesion in lesions])


@pytest.fixture(scope="module")
def detector() -> AppearanceDetector:
    return AppearanceDetector.fit(drawn(60, 0), drawn(40, 100), components=1, unlike_part=0.05)


def test_an_appearance_has_as_many_numbers_as_a_bundle_expects() -> None:
    assert drawn(1, 0).shape == (1, APPEARANCE_NUMBERS)


def test_the_asked_for_part_of_unseen_images_is_unlike(detector: AppearanceDetector) -> None:
    scores = [detector.score(numbers) for numbers in drawn(40, 100)]
    assert np.mean(np.array(scores) < detector.threshold) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("colour", [(0, 160, 60), (255, 255, 255), (20, 40, 200)])
def test_a_plain_colour_is_unlike(detector: AppearanceDetector, colour: tuple[int, int, int]) -> None:
    image = np.full((96, 128, 3), colour, np.uint8)
    nothing = np.zeros((96, 128), bool)
    assert detector.score(appearance(seen(image, nothing), 0.5)) < detector.threshold


def test_statistics_are_those_inside_and_outside_the_mask() -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:, :32] = (255, 0, 0)
    probability = np.zeros(SIZE)
    probability[:, :32] = 1
    numbers = appearance(Seen(image, probability, np.zeros(3), np.ones((2, 2, 3))), 0.5)
    assert numbers[14:17] == pytest.approx([0, 0, 0])  # mean outside
    assert numbers[20:23] == pytest.approx([1, 0, 0])  # mean inside
    assert numbers[26] == pytest.approx(1)  # their distance
    assert numbers[4:8] == pytest.approx([np.log(0.501), 0, 1, 1])


def test_a_detector_survives_the_bundle() -> None:
    usual, strange = drawn(60, 0), drawn(20, 300) + 2
    detector = AppearanceDetector.fit(usual, drawn(40, 100), [strange], components=1, unlike_part=0.05)
    stored = detector.to_dict()
    threshold = stored.pop("threshold")
    again = AppearanceDetector(
        **{name: np.array(values) for name, values in stored.items()}, threshold=threshold
    )
    numbers = drawn(1, 7)[0]
    assert again.score(numbers) == pytest.approx(detector.score(numbers), rel=1e-3)


def test_pictures_of_anything_are_unlike_by_a_rule_and_lesions_stay_familiar() -> None:
    """The rule learns from some drawn pictures and knows others; masks and answers are made up as for lesions."""
    pictures = [seen(picture, np.ones(SIZE, bool)) for picture in strange_pictures(60, seed=3)]
    strange = np.array([appearance(picture, 0.5) for picture in pictures])
    usual, unseen = drawn(60, 0), drawn(40, 100)
    detector = AppearanceDetector.fit(usual, unseen, [strange[:30]], components=1, unlike_part=0.05)
    assert np.mean([detector.score(numbers) < detector.threshold for numbers in strange[30:]]) > 0.9
    assert np.mean([detector.score(numbers) < detector.threshold for numbers in drawn(40, 200)]) < 0.2


def test_bare_skin_is_unlike_even_where_the_mixture_would_take_it() -> None:
    """Skin here is what the training has, with one number of it raised by less than its deviation allows for."""
    rng = np.random.default_rng(0)
    usual, skin = rng.normal(0, 1, (400, 29)), rng.normal(0, 1, (200, 29))
    skin[:, 3] += 6
    usual[:20, 3] += 6  # so that the mixture knows of such images
    without = AppearanceDetector.fit(usual[:300], usual[300:], components=1)
    detector = AppearanceDetector.fit(usual[:300], usual[300:], [skin[:100]], components=1)

    def unlike(known: AppearanceDetector, images: np.ndarray) -> float:
        return float(np.mean([known.score(numbers) < known.threshold for numbers in images]))

    assert unlike(without, skin[100:]) < 0.9 < unlike(detector, skin[100:])
    assert unlike(detector, rng.normal(0, 1, (300, 29))) < 0.1
