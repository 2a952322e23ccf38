"""Logits become figures: calibrated, compared with the right arm, in strata and under conditions."""

import numpy as np
import pytest

from pipeline.comparison.analysis import (
    arm_figures,
    compare_arms,
    fallbacks,
    prediction_table,
    stratify,
    under_conditions,
    with_averages,
)
from pipeline.comparison.arms import ARMS, chosen_arms


def test_every_arm_is_compared_with_the_full_image_and_the_crop_with_squares_elsewhere(
    outcomes, arms
) -> None:
    names = [contrast.name for contrast in compare_arms(outcomes, arms)]
    assert names == ["crop − full", "centre-crop − full", "both − full", "crop − centre-crop"]


def test_the_better_arm_is_found_and_the_equal_one_is_not(outcomes, arms) -> None:
    crop, centre, *_ = compare_arms(outcomes, arms)
    assert crop.differences["balanced_accuracy"].value == pytest.approx(0.4, abs=0.15)
    assert crop.adjusted["balanced_accuracy"] < 0.05
    assert crop.adjusted["mcnemar"] < 0.05
    assert centre.adjusted["balanced_accuracy"] > 0.05
    assert crop.adjusted["balanced_accuracy"] >= crop.differences["balanced_accuracy"].p


def test_both_averages_the_logits_of_full_and_crop(arms) -> None:
    full, crop = np.zeros((1, 2, 3)), np.ones((1, 2, 3))
    assert (with_averages({"full": full, "crop": crop}, arms)["both"] == 0.5).all()


def test_probabilities_are_calibrated_on_validation(outcomes) -> None:
    for arm, right in (("full", 0.5), ("crop", 0.9)):
        confidence = outcomes.probabilities["test"][arm].max(axis=2).mean()
        assert confidence == pytest.approx(right, abs=0.12)
    assert len(outcomes.temperatures["both"]) == 2


def test_figures_of_an_arm_are_means_over_its_seeds(outcomes) -> None:
    figures = arm_figures(outcomes, ARMS["crop"])
    right = outcomes.probabilities["test"]["crop"].argmax(axis=2) == outcomes.labels
    assert figures.figures["accuracy"].value == pytest.approx(right.mean())
    assert figures.figures["accuracy"].seeds == pytest.approx(right.mean(axis=1))
    assert 0 <= figures.calibration_error.value < 0.2


def test_fallbacks_count_the_images_without_a_usable_mask(outcomes, drawn_images) -> None:
    masks = drawn_images.assign(found=np.arange(80) >= 20, jaccard=[np.nan] * 40 + [0.8] * 40)
    unlucky = type(outcomes)(**{**vars(outcomes), "masks": {"test": masks}})
    shares = [arm_figures(unlucky, ARMS[name]).fallbacks for name in ("full", "crop")]
    assert shares == [0, 0.25]
    assert fallbacks(unlucky, ARMS["reference-crop"]) == 0.5
    implausible = masks.assign(reference_found=np.arange(80) >= 60)
    specks = type(outcomes)(**{**vars(outcomes), "masks": {"test": implausible}})
    assert fallbacks(specks, ARMS["reference-crop"]) == 0.75


def test_strata_are_thirds_by_mask_quality_and_by_lesion_size(outcomes) -> None:
    strata = list(stratify(outcomes, "crop"))
    assert [(part.by, part.images) for part in strata] == [
        ("mask quality", 27), ("mask quality", 26), ("mask quality", 27),
        ("lesion size", 27), ("lesion size", 26), ("lesion size", 27),
    ]  # fmt: skip
    assert strata[0].range == "Jaccard 0.50 to 0.63"
    assert all(part.difference.value > 0 for part in strata)


def test_conditions_are_compared_within_themselves(outcomes, arms) -> None:
    clean, ink = under_conditions(outcomes, arms)
    assert (clean.name, ink.name) == ("as they are", "ink")
    assert ink.figures["full"].value == 0
    assert ink.differences["crop"].value == pytest.approx(clean.figures["crop"].value)


def test_every_prediction_of_every_arm_seed_and_condition_is_listed(outcomes, drawn_images) -> None:
    table = prediction_table(outcomes, drawn_images)
    assert len(table) == 2 * 4 * 2 * 80
    assert table[["bcc", "mel", "nv"]].sum(axis=1).to_numpy() == pytest.approx(1)
    chosen = table.query("condition == 'test' and arm == 'crop' and seed == 1")
    accuracy = (chosen["diagnosis"] == chosen["dx"]).mean()
    assert accuracy == pytest.approx(arm_figures(outcomes, ARMS["crop"]).figures["accuracy"].seeds[1])


def test_what_both_needs_is_added_to_the_arms() -> None:
    assert [arm.name for arm in chosen_arms(["both"])] == ["full", "crop", "both"]
