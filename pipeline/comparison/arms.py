"""The arms of a comparison: what each lets the classifier see of an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from classification.config import AnyView
from data.datasets.catalog import DatasetError

MAIN_MARGIN = 0.25
BASELINE = "full"
DEFAULT_ARMS = ("full", "crop", "centre-crop", "both")


@dataclass(frozen=True)
class Arm:
    """One way to show images to a classifier.

    Attributes
    ----------
    view : str
        As `classification.views.viewed` takes it.
    sees : str
        What a reader needs to know.
    margin : float
        Around the lesion, see `segmentation.cropping.widen`.
    masks : "predicted" or "reference"
    parts : names of the arms whose logits are averaged; such an arm is not trained itself
    """

    name: str
    view: AnyView
    sees: str
    margin: float = MAIN_MARGIN
    masks: Literal["predicted", "reference"] = "predicted"
    parts: tuple[str, ...] = ()


ARMS = {
    arm.name: arm
    for arm in (
        Arm("full", "full", "the whole image, stretched to a square"),
        Arm(
            "crop", "crop", "a square around the found lesion, with 25% of its length as margin on every side"
        ),
        Arm("crop-0", "crop", "a square around the found lesion, without margin", margin=0.0),
        Arm("crop-10", "crop", "a square around the found lesion, with a margin of 10%", margin=0.1),
        Arm("crop-50", "crop", "a square around the found lesion, with a margin of 50%", margin=0.5),
        Arm(
            "reference-crop",
            "crop",
            "as crop, around the dataset's own mask: what perfect masks would give",
            masks="reference",
        ),
        Arm("centre-crop", "centre-crop", "a square as large as that of crop, at the image's centre"),
        Arm("random-crop", "random-crop", "a square as large as that of crop, at a random place"),
        Arm("masked", "masked", "the found lesion alone; all around it is grey"),
        Arm("context-only", "context-only", "all but the lesion; a grey square covers it", margin=0.1),
        Arm(
            "both",
            "full",
            "full and crop, their logits averaged",
            parts=("full", "crop"),
        ),
    )
}


def chosen_arms(names: Sequence[str]) -> tuple[Arm, ...]:
    """The arms of these names in the table's order, with the baseline and with what an averaged arm needs.

    Raises
    ------
    DatasetError : a name is not in the table, or nothing is left to compare with the baseline.
    """
    strange = [name for name in names if name not in ARMS]
    if strange:
        raise DatasetError(f"there is no arm {', '.join(strange)}; choose from {', '.join(ARMS)}.")
    wanted = {BASELINE, *names, *(part for name in names for part in ARMS[name].parts)}
    if wanted == {BASELINE}:
        raise DatasetError(f"there is nothing to compare {BASELINE} with; name another arm, such as crop.")
    return tuple(arm for name, arm in ARMS.items() if name in wanted)


def trained_arms(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """Those that have classifiers of their own."""
    return tuple(arm for arm in arms if not arm.parts)


def main_arm(arms: Sequence[Arm]) -> Arm:
    """The arm that the verdict is about: the first crop around the lesion, else the first that is not the baseline."""
    others = [arm for arm in arms if arm.name != BASELINE]
    return next((arm for arm in others if arm.view == "crop"), others[0])


def contrasts(arms: Sequence[Arm]) -> tuple[tuple[str, str], ...]:
    """Pairs (arm, what it is compared with): every arm with the baseline, and crop with its square elsewhere."""
    names = [arm.name for arm in arms]
    against_full = [(name, BASELINE) for name in names if name != BASELINE]
    elsewhere = [("crop", name) for name in ("centre-crop", "random-crop") if {"crop", name} <= set(names)]
    return (*against_full, *elsewhere)
