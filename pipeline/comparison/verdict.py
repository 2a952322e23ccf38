"""The verdict of a comparison, by a rule that is fixed before the data are seen."""

from dataclasses import dataclass
from typing import Any

from pipeline.comparison.statistics import Estimate

SIGNIFICANCE = 0.05
SMALLEST_DIFFERENCE = 0.02
DECIDING_FIGURE = "balanced_accuracy"


@dataclass(frozen=True)
class Verdict:
    """`sentence` says it, `reason` gives the figures; `kind` is "better", "worse", "no difference shown" or "void"."""

    kind: str
    sentence: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "sentence": self.sentence, "reason": self.reason}


def rule(arm: str, baseline: str, smallest: float) -> str:
    """The rule as a reader is told it."""
    return (
        f"The figure that decides is the balanced accuracy on the test images, on average over the seeds: {arm} minus "
        f"{baseline}. One is called better where the p-value, after Holm's correction for all comparisons of the "
        f"table, is under {SIGNIFICANCE:g} and the difference is at least {smallest:g}, the smallest difference of "
        "interest. Otherwise no difference is shown, and the verdict names the largest one that the 95% interval "
        "leaves possible."
    )


def decide(
    arm: str, baseline: str, difference: Estimate, adjusted_p: float, smallest: float = SMALLEST_DIFFERENCE
) -> Verdict:
    """Apply the rule.

    Parameters
    ----------
    arm, baseline : names
    difference : Estimate of `DECIDING_FIGURE`, arm minus baseline
    adjusted_p : its p-value after Holm's correction
    smallest : the smallest difference of interest
    """
    figures = (
        f"{arm} minus {baseline} is {difference.value:+.3f} in balanced accuracy "
        f"(95% interval {difference.low:+.3f} to {difference.high:+.3f}, adjusted p {adjusted_p:.2g})"
    )
    detected = adjusted_p < SIGNIFICANCE
    if detected and abs(difference.value) >= smallest:
        winner = arm if difference.value > 0 else baseline
        kind = "better" if difference.value > 0 else "worse"
        return Verdict(kind, f"{winner.capitalize()} better.", f"{figures}.")
    largest = max(abs(difference.low), abs(difference.high))
    if detected:
        ending = f"there is a difference, but less than {smallest:g}, the smallest one of interest"
    elif largest <= smallest:
        ending = f"whatever difference there is, is under {smallest:g}, the smallest one of interest"
    else:
        ending = "more lesions or more seeds would be needed to tell"
    return Verdict(
        "no difference shown",
        f"No difference shown between {arm} and {baseline}; the 95% interval leaves up to {largest:.3f} possible.",
        f"{figures}; {ending}.",
    )


def void(arm: str, baseline: str, why: str) -> Verdict:
    """No answer at all, because of what `why` says."""
    return Verdict(
        "void",
        f"No verdict: {why}, so that {arm} and {baseline} can't be told apart here.",
        "the figures below are of crops that are not what they should be. Masks of a segmentation that was trained "
        "for longer, or --masks bundle, may find the lesions; without --quick the segmentations train for longer.",
    )
