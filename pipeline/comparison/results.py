"""The results of a comparison, for programs, for the terminal and for the report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from data.intervals import Interval
from pipeline.comparison.arms import Arm
from pipeline.comparison.statistics import Estimate, McNemar
from pipeline.comparison.verdict import Verdict

FIGURE_NAMES = {"balanced_accuracy": "Balanced accuracy", "macro_f1": "Macro F1", "accuracy": "Accuracy"}


@dataclass(frozen=True)
class Contrast:
    """One arm minus another on the same test images.

    `adjusted` holds p-values after Holm's correction over all contrasts: of the balanced accuracy, the macro F1, and
    McNemar's test.
    """

    arm: str
    baseline: str
    differences: Mapping[str, Estimate]
    mcnemar: McNemar
    adjusted: Mapping[str, float]

    @property
    def name(self) -> str:
        return f"{self.arm} − {self.baseline}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "arm": self.arm,
            "baseline": self.baseline,
            "differences": {name: estimate.to_dict() for name, estimate in self.differences.items()},
            "mcnemar": self.mcnemar._asdict(),
            "adjusted_p": dict(self.adjusted),
        }


@dataclass(frozen=True)
class ArmFigures:
    """Figures of one arm, on average over its seeds.

    Attributes
    ----------
    figures : balanced accuracy, macro F1, accuracy and each class's F1
    calibration_error : expected calibration error, of probabilities calibrated on validation
    temperatures : of each seed
    fallbacks : share of the test images that the arm saw whole for want of a usable mask
    """

    arm: Arm
    figures: Mapping[str, Estimate]
    calibration_error: Estimate
    temperatures: tuple[float, ...]
    fallbacks: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "sees": self.arm.sees,
            "figures": {name: of.to_dict(difference=False) for name, of in self.figures.items()},
            "calibration_error": self.calibration_error.to_dict(difference=False),
            "temperatures": list(self.temperatures),
            "fallbacks": self.fallbacks,
        }


class Stratum(NamedTuple):
    """A part of the test images, and the main contrast's difference of balanced accuracy within it."""

    by: str
    range: str
    images: int
    classes: int
    difference: Estimate


@dataclass(frozen=True)
class Condition:
    """The arms on perturbed test images.

    `figures` and `differences` (main arm and others minus the baseline) are of the balanced accuracy; `found` is the
    share of images with a usable mask, `jaccard` the mean of the masks found, NaN where the dataset has none.
    """

    name: str
    shows: str
    found: float
    jaccard: float
    figures: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "shows": self.shows,
            "found": self.found,
            "jaccard": None if np.isnan(self.jaccard) else self.jaccard,
            "figures": {name: of.to_dict(difference=False) for name, of in self.figures.items()},
            "differences": {name: estimate.to_dict() for name, estimate in self.differences.items()},
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """The answer, and all that it rests on.

    Attributes
    ----------
    verdict, rule : the answer, and how it was chosen
    main_contrast : the one that the verdict is about
    smallest_difference : of balanced accuracy, that would matter
    quick : whether linear heads on a frozen encoder stand for trained arms
    classes : the classes; `support` has the test images of each
    arms, contrasts, strata, conditions : figures
    mask_jaccard : mean Jaccard of the masks found in the test images, None where the dataset has none
    differing_crops : share of the test images whose crop in the main arm is not as good as the full image
    predictions : DataFrame
        A row for every condition, arm, seed and test image: `condition, arm, seed, image_id, lesion_id, dx, diagnosis`
        and the calibrated probability of each class.
    images : DataFrame of the test images, with `image_path`, `found_path`, `found`, `area`, `jaccard` and `seen`
    notes : what a reader must know
    facts : how it came about, name -> text
    """

    verdict: Verdict
    rule: str
    main_contrast: Contrast
    smallest_difference: float
    quick: bool
    classes: tuple[str, ...]
    support: Mapping[str, int]
    arms: Mapping[str, ArmFigures]
    contrasts: tuple[Contrast, ...]
    strata: tuple[Stratum, ...]
    conditions: tuple[Condition, ...]
    mask_jaccard: Interval | None
    predictions: pd.DataFrame
    images: pd.DataFrame
    differing_crops: float | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        """The verdict in one sentence, marked where it is a quick one."""
        quick = self.quick and self.verdict.kind != "void"
        return f"Quick answer: {self.verdict.sentence}" if quick else self.verdict.sentence

    @property
    def crops_sentence(self) -> str:
        """How many crops differ from the full image, and how good their masks are; empty where nothing is cropped."""
        if self.differing_crops is None:
            return ""
        masks = "" if self.mask_jaccard is None else f"; the masks have a mean Jaccard of {self.mask_jaccard}"
        return f"{self.differing_crops:.0%} of the test images' crops show less than the full image{masks}."

    def to_dict(self) -> dict[str, Any]:
        """For `comparison.json`."""
        return {
            "verdict": {"answer": self.answer, **self.verdict.to_dict()},
            "rule": self.rule,
            "main_contrast": self.main_contrast.name,
            "smallest_difference": self.smallest_difference,
            "quick": self.quick,
            "classes": list(self.classes),
            "support": dict(self.support),
            "arms": {name: arm.to_dict() for name, arm in self.arms.items()},
            "contrasts": [contrast.to_dict() for contrast in self.contrasts],
            "strata": [
                {**stratum._asdict(), "difference": stratum.difference.to_dict()} for stratum in self.strata
            ],
            "conditions": [condition.to_dict() for condition in self.conditions],
            "mask_jaccard": self.mask_jaccard.to_dict() if self.mask_jaccard else None,
            "differing_crops": self.differing_crops,
            "notes": list(self.notes),
            "facts": dict(self.facts),
        }

    def to_text(self) -> str:
        """For the terminal: the verdict, the rule, and the two main tables."""
        blocks = [
            f"{self.answer}\n{self.verdict.reason}",
            f"Rule, fixed beforehand: {self.rule}",
            _text_table(self._arm_rows()),
            _text_table(self._contrast_rows()),
            self.crops_sentence,
            "\n".join(self.notes),
        ]
        return "\n\n".join(block for block in blocks if block)

    def _arm_rows(self) -> Iterator[dict[str, str]]:
        for name, arm in self.arms.items():
            yield {
                "arm": name,
                **{FIGURE_NAMES[key]: f"{arm.figures[key].value:.3f}" for key in FIGURE_NAMES},
                "Calibration error": f"{arm.calibration_error.value:.3f}",
                "Seen whole": f"{arm.fallbacks:.1%}",
            }

    def _contrast_rows(self) -> Iterator[dict[str, str]]:
        for contrast in self.contrasts:
            deciding = contrast.differences["balanced_accuracy"]
            yield {
                "difference": contrast.name,
                "balanced accuracy": f"{deciding.value:+.3f} ({deciding.low:+.3f} to {deciding.high:+.3f})",
                "p, Holm": f"{contrast.adjusted['balanced_accuracy']:.3f}",
                "macro F1": f"{contrast.differences['macro_f1'].value:+.3f}",
                "McNemar p, Holm": f"{contrast.adjusted['mcnemar']:.3f}",
            }


def _text_table(rows: Iterator[dict[str, str]]) -> str:
    return pd.DataFrame(rows).to_string(index=False)
