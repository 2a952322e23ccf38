"""Logits of every arm, seed and condition -> the figures of a comparison, on arrays alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from classification import bootstrap
from classification.calibration import confidence_bins, expected_calibration_error, fit_temperature
from data.intervals import lesion_weights
from pipeline.comparison.arms import BASELINE, Arm, contrasts
from pipeline.comparison.perturbations import PERTURBATIONS
from pipeline.comparison.results import ArmFigures, Condition, Contrast, Stratum
from pipeline.comparison.statistics import Estimate, Figures, holm, mcnemar_test

TEST = "test"
PARTS_OF_STRATA = 3


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What the arms said of the test images.

    Attributes
    ----------
    classes : the C classes
    labels : int array (N,), indices into `classes`
    lesion_ids : array (N,)
    temperatures : for each arm, those of its S seeds
    probabilities : for each condition and arm, calibrated, float array (S, N, C)
    masks : for each condition, DataFrame with `found`, `area` and `jaccard` of the N images
    weights : float array (R, N), bootstrap over lesions
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    lesion_ids: np.ndarray
    temperatures: Mapping[str, tuple[float, ...]]
    probabilities: Mapping[str, Mapping[str, np.ndarray]]
    masks: Mapping[str, pd.DataFrame]
    weights: np.ndarray

    @classmethod
    def from_logits(
        cls,
        classes: Sequence[str],
        validation: tuple[np.ndarray, Mapping[str, np.ndarray]],
        labels: np.ndarray,
        lesion_ids: np.ndarray,
        logits: Mapping[str, Mapping[str, np.ndarray]],
        masks: Mapping[str, pd.DataFrame],
        *,
        resamples: int,
        seed: int,
    ) -> "Outcomes":
        """Calibrate the logits (S, N, C) of each condition and arm on `validation`, its labels and the arms' logits."""
        temperatures = {
            arm: tuple(fit_temperature(of_seed, validation[0]) for of_seed in values)
            for arm, values in validation[1].items()
        }
        return cls(
            classes=tuple(classes),
            labels=labels,
            lesion_ids=lesion_ids,
            temperatures=temperatures,
            probabilities={
                condition: {
                    arm: softmax(values / np.reshape(temperatures[arm], (-1, 1, 1)), axis=2)
                    for arm, values in arms.items()
                }
                for condition, arms in logits.items()
            },
            masks=masks,
            weights=lesion_weights(lesion_ids, resamples, seed),
        )

    def figures(self, arm: str, condition: str = TEST, chosen: np.ndarray | None = None) -> Figures:
        """Figures of an arm on all test images or on the `chosen` ones (N,)."""
        chosen = np.full(len(self.labels), True) if chosen is None else chosen
        return Figures.from_diagnoses(
            self.probabilities[condition][arm].argmax(axis=2)[:, chosen],
            self.labels[chosen],
            self.lesion_ids[chosen],
            self.classes,
            self.weights[:, chosen],
        )


def with_averages(logits: Mapping[str, np.ndarray], arms: Sequence[Arm]) -> dict[str, np.ndarray]:
    """The trained arms' logits (S, N, C), and those of the arms that average them."""
    averaged = {arm.name: np.mean([logits[part] for part in arm.parts], axis=0) for arm in arms if arm.parts}
    return {**logits, **averaged}


def arm_figures(outcomes: Outcomes, arm: Arm) -> ArmFigures:
    """All figures of one arm on the test images."""
    figures = outcomes.figures(arm.name)
    return ArmFigures(
        arm=arm,
        figures={name: figures.estimate(name) for name in figures.names},
        calibration_error=_calibration_error(outcomes, arm.name),
        temperatures=outcomes.temperatures[arm.name],
        fallbacks=fallbacks(outcomes, arm),
    )


def fallbacks(outcomes: Outcomes, arm: Arm) -> float:
    """Share of the test images that an arm saw whole for want of a usable mask; 0 for the baseline."""
    if arm.name == BASELINE:
        return 0.0
    masks = outcomes.masks[TEST]
    if arm.masks != "reference":
        usable = masks["found"]
    elif "reference_found" in masks:
        usable = masks["reference_found"]
    else:  # a folder of an earlier version
        usable = masks["jaccard"].notna()
    return float(1 - usable.mean())


def _calibration_error(outcomes: Outcomes, arm: str) -> Estimate:
    values, resamples = [], []
    for probabilities in outcomes.probabilities[TEST][arm]:
        values.append(expected_calibration_error(probabilities, outcomes.labels))
        bins = confidence_bins(probabilities, outcomes.labels)
        resamples.append(bootstrap.calibration_error(*bins, outcomes.weights))
    lesions = len(set(outcomes.lesion_ids))
    return Estimate.from_resamples(np.array(values), np.array(resamples), lesions, least=0.0)


def compare_arms(outcomes: Outcomes, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
    """All contrasts of the arms, their p-values corrected together."""
    pairs, figures = contrasts(arms), {arm.name: outcomes.figures(arm.name) for arm in arms}
    diagnoses = {arm.name: outcomes.probabilities[TEST][arm.name].argmax(axis=2) for arm in arms}
    differences = [
        {name: figures[arm].difference(figures[other], name) for name in figures[arm].names}
        for arm, other in pairs
    ]
    tests = [
        mcnemar_test(diagnoses[arm], diagnoses[other], outcomes.labels, outcomes.lesion_ids)
        for arm, other in pairs
    ]
    adjusted = {
        "balanced_accuracy": holm([difference["balanced_accuracy"].p for difference in differences]),
        "macro_f1": holm([difference["macro_f1"].p for difference in differences]),
        "mcnemar": holm([test.p for test in tests]),
    }
    return tuple(
        Contrast(arm, other, differences[row], tests[row], {name: p[row] for name, p in adjusted.items()})
        for row, (arm, other) in enumerate(pairs)
    )


def stratify(outcomes: Outcomes, arm: str) -> Iterator[Stratum]:
    """An arm against the baseline in thirds of the test images by the masks' quality and by the lesions' size."""
    masks = outcomes.masks[TEST]
    for by, column, unit in (
        ("mask quality", "jaccard", "Jaccard {:.2f} to {:.2f}"),
        ("lesion size", "area", "{:.0%} to {:.0%} of the image"),
    ):
        values = masks[column].to_numpy(float)
        defined = ~np.isnan(values)
        if np.count_nonzero(defined) < 2 * PARTS_OF_STRATA:
            continue
        thirds = np.full(len(values), -1)
        thirds[defined] = pd.qcut(
            pd.Series(values[defined]).rank(method="first"), PARTS_OF_STRATA, labels=False
        )
        for third in range(PARTS_OF_STRATA):
            chosen = thirds == third
            difference = outcomes.figures(arm, chosen=chosen).difference(
                outcomes.figures(BASELINE, chosen=chosen), "balanced_accuracy"
            )
            yield Stratum(
                by=by,
                range=unit.format(values[chosen].min(), values[chosen].max()),
                images=int(chosen.sum()),
                classes=len(set(outcomes.labels[chosen])),
                difference=difference,
            )


def under_conditions(outcomes: Outcomes, arms: Sequence[Arm]) -> Iterator[Condition]:
    """The arms on the test images as they are, and under each perturbation."""
    for name, masks in outcomes.masks.items():
        figures = {arm.name: outcomes.figures(arm.name, name) for arm in arms}
        baseline = figures[BASELINE]
        yield Condition(
            name="as they are" if name == TEST else name,
            shows="the test images themselves" if name == TEST else PERTURBATIONS[name].shows,
            found=float(masks["found"].mean()),
            jaccard=float(masks["jaccard"].mean()),
            figures={arm: values.estimate("balanced_accuracy") for arm, values in figures.items()},
            differences={
                arm: values.difference(baseline, "balanced_accuracy")
                for arm, values in figures.items()
                if arm != BASELINE
            },
        )


def prediction_table(outcomes: Outcomes, images: pd.DataFrame) -> pd.DataFrame:
    """Every prediction of every condition, arm and seed; see `Comparison.predictions`."""
    known = images[["image_id", "lesion_id", "dx"]].reset_index(drop=True)
    return pd.concat(
        [
            known.assign(
                condition=condition,
                arm=arm,
                seed=seed,
                diagnosis=np.array(outcomes.classes)[probabilities.argmax(axis=1)],
                **dict(zip(outcomes.classes, probabilities.T, strict=True)),
            )
            for condition, arms in outcomes.probabilities.items()
            for arm, seeds in arms.items()
            for seed, probabilities in enumerate(seeds)
        ],
        ignore_index=True,
    )[["condition", "arm", "seed", *known.columns, "diagnosis", *outcomes.classes]]
