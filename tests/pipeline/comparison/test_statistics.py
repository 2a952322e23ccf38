"""Paired statistics on drawn diagnoses: a planted difference is found, and none is invented."""

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.metrics import balanced_accuracy_score, f1_score

from data.intervals import lesion_weights
from pipeline.comparison.statistics import Estimate, Figures, holm, mcnemar_test
from pipeline.comparison.verdict import decide

CLASSES = ("bcc", "mel", "nv")
STUDIES, LESIONS, RESAMPLES = 400, 120, 200


class DrawnStudy:
    """A test set, and two arms whose seeds name a lesion rightly with given chances.

    A lesion is as hard for one arm as for the other, and all images of a lesion are named alike more often than not. A
    training may happen to be better or worse as a whole, by `seed_spread`.
    """

    def __init__(self, seed: int, gain: float = 0.0, seeds: int = 3, seed_spread: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        lesion_of_image = np.repeat(np.arange(LESIONS), rng.integers(1, 3, LESIONS))
        self.lesion_ids = lesion_of_image.astype(str)
        self.labels = rng.choice(3, LESIONS, p=(0.2, 0.3, 0.5))[lesion_of_image]
        ease = rng.normal(0.75, 0.15, LESIONS)[lesion_of_image]
        self.full = self._diagnoses(rng, ease, seeds, seed_spread)
        self.crop = self._diagnoses(rng, ease + gain, seeds, seed_spread)

    def _diagnoses(self, rng, chance: np.ndarray, seeds: int, seed_spread: float) -> np.ndarray:
        chances = chance + rng.normal(0, seed_spread, (seeds, 1))
        mistaken = (self.labels + rng.integers(1, 3, (seeds, len(chance)))) % 3
        return np.where(rng.random((seeds, len(chance))) < chances, self.labels, mistaken)

    def difference(self, name: str = "balanced_accuracy") -> Estimate:
        weights = lesion_weights(self.lesion_ids, RESAMPLES, seed=0)
        crop, full = (
            Figures.from_diagnoses(diagnoses, self.labels, self.lesion_ids, CLASSES, weights)
            for diagnoses in (self.crop, self.full)
        )
        return crop.difference(full, name)


def verdicts(**settings) -> list[str]:
    estimates = [DrawnStudy(seed, **settings).difference() for seed in range(STUDIES)]
    return [decide("crop", "full", estimate, estimate.p).kind for estimate in estimates]


@pytest.mark.parametrize("seed_spread", [0.0, 0.04], ids=["alike trainings", "lucky and unlucky trainings"])
def test_a_difference_that_is_not_there_is_hardly_ever_found(seed_spread: float) -> None:
    found = np.mean([kind != "no difference shown" for kind in verdicts(seed_spread=seed_spread)])
    # One in twenty is allowed; 400 studies that keep to it stay under 7.5% in 99 of 100 draws.
    assert found < 0.075


def test_with_one_seed_no_difference_is_invented_either() -> None:
    assert np.mean([kind != "no difference shown" for kind in verdicts(seeds=1)]) < 0.075


def test_a_planted_difference_is_found_with_its_sign() -> None:
    better = verdicts(gain=0.15)
    assert np.mean([kind == "better" for kind in better]) > 0.8
    assert "worse" not in better
    assert np.mean([kind == "worse" for kind in verdicts(gain=-0.15)]) > 0.8


def test_intervals_hold_the_true_difference_as_often_as_they_say() -> None:
    gain = 0.06
    estimates = [
        DrawnStudy(seed, gain=gain, seed_spread=0.03).difference("accuracy") for seed in range(STUDIES)
    ]
    held = np.mean([estimate.low <= gain <= estimate.high for estimate in estimates])
    assert held > 0.925


def test_figures_are_those_of_scikit_learn() -> None:
    study = DrawnStudy(3)
    weights = lesion_weights(study.lesion_ids, 5, seed=0)
    figures = Figures.from_diagnoses(study.crop, study.labels, study.lesion_ids, CLASSES, weights)
    balanced = [balanced_accuracy_score(study.labels, seed) for seed in study.crop]
    assert figures.estimate("balanced_accuracy").value == pytest.approx(np.mean(balanced))
    assert figures.estimate("balanced_accuracy").seeds == pytest.approx(balanced)
    assert figures.estimate("accuracy").seeds == pytest.approx(
        [np.mean(seed == study.labels) for seed in study.crop]
    )
    assert figures.resamples.shape[:2] == (3, 5)
    f1 = f1_score(study.labels, study.crop[0], average=None)
    assert [figures.estimate(f"f1_{code}").seeds[0] for code in CLASSES] == pytest.approx(f1)
    assert figures.estimate("macro_f1").seeds[0] == pytest.approx(f1.mean())


def test_an_arm_does_not_differ_from_itself() -> None:
    study = DrawnStudy(0)
    study.crop = study.full
    difference = study.difference()
    assert (difference.value, difference.low, difference.high, difference.p) == (0, 0, 0, 1)


def test_a_difference_that_never_varies_is_one() -> None:
    always = Estimate.from_resamples(np.full(3, 0.5), np.full((3, 200), 0.5), lesions=30)
    assert (always.value, always.low, always.high) == (0.5, 0.5, 0.5)
    assert always.p == pytest.approx(2 / 2**30)
    assert Estimate.from_resamples(np.full(3, -0.5), np.full((3, 200), -0.5), lesions=3).p == pytest.approx(
        0.25
    )


def test_an_interval_joins_lesions_and_seeds_as_satterthwaite_does() -> None:
    seeds, resamples = np.array([0.1, 0.3]), np.array([[0.1, 0.2, 0.3, 0.2], [0.2, 0.4, 0.4, 0.2]])
    both = Estimate.from_resamples(seeds, resamples, lesions=10)
    over_lesions, over_seeds = (
        0.025 / 3,
        0.02 / 2,
    )  # of the means 0.15, 0.3, 0.35 and 0.2; of a mean of two seeds
    error = np.sqrt(over_lesions + over_seeds)
    freedom = error**4 / (over_lesions**2 / 9 + over_seeds**2 / 1)
    assert both.value == pytest.approx(0.2)
    assert (both.low, both.high) == pytest.approx(student.interval(0.95, freedom, 0.2, error))
    assert both.p == pytest.approx(2 * student.sf(0.2 / error, freedom))
    three = Estimate.from_resamples(
        np.array([0.1, 0.3, 0.2]), np.vstack([resamples, resamples.mean(axis=0)]), 10
    )
    freedom = (over_lesions + 0.01 / 3) ** 2 / (over_lesions**2 / 9 + (0.01 / 3) ** 2 / 2)
    assert three.p == pytest.approx(2 * student.sf(0.2 / np.sqrt(over_lesions + 0.01 / 3), freedom))
    alone = Estimate.from_resamples(seeds[:1], resamples[:1], lesions=2)
    assert (alone.low, alone.high) == pytest.approx(
        np.clip(student.interval(0.95, 1, 0.1, np.sqrt(0.02 / 3)), -1, 1)
    )


def test_two_resamples_of_two_lesions_are_the_fewest_that_give_an_interval() -> None:
    fewest = np.array([[0.0, np.nan, 0.02]])
    assert not np.isnan(Estimate.from_resamples(np.array([0.01]), fewest, lesions=2).low)
    assert np.isnan(Estimate.from_resamples(np.array([0.01]), fewest[:, :2], lesions=2).low)


def test_an_interval_ends_where_a_figure_can_not_be() -> None:
    wide = np.array([[-1.0, 0.0, 1.0]])
    difference = Estimate.from_resamples(np.array([0.0]), wide, lesions=3)
    assert (difference.low, difference.high) == (-1, 1)
    labels, lesions = np.array([0, 1, 2]), list("abc")
    figures = Figures.from_diagnoses(
        np.array([[0, 1, 1]]), labels, lesions, CLASSES, np.array([[3.0, 0, 0], [0, 0, 3]])
    )
    accuracy = figures.estimate("accuracy")
    assert (accuracy.low, accuracy.high) == (0, 1)


def test_one_lesion_shows_no_difference() -> None:
    alone = Estimate.from_resamples(np.array([1.0]), np.ones((1, 200)), lesions=1)
    assert np.isnan([alone.low, alone.high, alone.p]).all()


def test_seeds_that_disagree_widen_the_interval() -> None:
    resamples = np.random.default_rng(0).normal(0.05, 0.01, (2, 500))
    alike = Estimate.from_resamples(np.array([0.05, 0.05]), resamples, lesions=100)
    apart = Estimate.from_resamples(np.array([0.0, 0.1]), resamples, lesions=100)
    assert alike.value == apart.value
    assert alike.low > 0 > apart.low
    assert alike.over_lesions == apart.over_lesions


def test_a_class_without_images_has_no_figure() -> None:
    labels = np.array([0, 0, 1, 1])
    weights = lesion_weights(list("abcd"), 20, seed=0)
    figures = Figures.from_diagnoses(labels[None], labels, list("abcd"), CLASSES, weights)
    missing = figures.estimate("f1_nv").to_dict()
    assert (missing["value"], missing["low"], missing["p"]) == (None, None, None)
    assert figures.estimate("balanced_accuracy").value == 1
    assert "p" not in figures.estimate("balanced_accuracy").to_dict(difference=False)


def test_mcnemar_counts_one_image_a_lesion() -> None:
    labels = np.zeros(12, int)
    lesions = ["a", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]
    second = np.array([[0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]])
    test = mcnemar_test(labels[None], second, labels, lesions)
    # Lesion a counts by its first image, which both name rightly; the other ten are right in the first arm alone.
    assert (test.only_first, test.only_second) == ((10,), (0,))
    assert test.p == pytest.approx(2 / 2**10)


def test_mcnemar_of_several_seeds_doubles_the_median() -> None:
    labels, lesions = np.zeros(10, int), [str(number) for number in range(10)]
    first = np.zeros((3, 10), int)
    second = np.zeros((3, 10), int)
    second[0], second[1, :4] = 1, 1
    test = mcnemar_test(first, second, labels, lesions)
    assert test.p_of_seeds == pytest.approx((2 / 2**10, 2 / 2**4, 1))
    assert test.p == pytest.approx(4 / 2**4)
    assert mcnemar_test(first, first, labels, lesions).p == 1


def test_holm_is_stricter_the_more_comparisons_there_are() -> None:
    assert holm([0.01]) == [0.01]
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []
