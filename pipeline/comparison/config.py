"""The settings of a comparison."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from classification.config import ClassificationConfig
from pipeline.comparison.arms import DEFAULT_ARMS, Arm, chosen_arms
from pipeline.comparison.verdict import SMALLEST_DIFFERENCE
from segmentation.config import SegmentationConfig

MaskSource = Literal["auto", "cross-fitted", "bundle"]

# Arms share every setting but the view; a box that is jittered would be one more augmentation for the crops alone.
CLASSIFICATION = ClassificationConfig(jitter=0.0, boxes="reference")
SEGMENTATION = SegmentationConfig(input_size=(128, 160), small_epochs=0, epochs=5)
QUICK_SIDE = 160
QUICK_SEGMENTATION = replace(SEGMENTATION, input_size=(96, 128), epochs=3, augmentation="light")
QUICK_MASKS = 1200


@dataclass(frozen=True)
class ComparisonConfig:
    """Settings of a comparison.

    Attributes
    ----------
    arms : names of `pipeline.comparison.arms.ARMS`; the baseline and what an averaged arm needs are added
    seeds : trainings of each arm, with the seeds 0, 1, ...
    quick : whether to fit linear heads on a frozen encoder instead of training
    masks : "auto", "cross-fitted" or "bundle"
        Which segmentation models find the lesions; auto cross-fits where the dataset has masks enough.
    folds : of the cross-fitting
    most_masks : the most images with a mask that a fold's segmentation learns from; 0 for all
    smallest_difference : of balanced accuracy, that would matter
    resamples : of the bootstrap over lesions
    robustness : whether to try the arms on perturbed test images, too
    seed : of the split, the folds and the bootstrap
    segmentation, classification : settings of the trainings; the arms set view, margin, boxes, jitter and seed
    """

    arms: tuple[str, ...] = DEFAULT_ARMS
    seeds: int = 3
    quick: bool = False
    masks: MaskSource = "auto"
    folds: int = 3
    most_masks: int = 0
    smallest_difference: float = SMALLEST_DIFFERENCE
    resamples: int = 2000
    robustness: bool = True
    seed: int = 0
    segmentation: SegmentationConfig = field(default_factory=lambda: SEGMENTATION)
    classification: ClassificationConfig = field(default_factory=lambda: CLASSIFICATION)

    @classmethod
    def for_quick(cls, **settings: Any) -> "ComparisonConfig":
        """A first answer in minutes: linear heads on a frozen encoder, and small segmentation trainings."""
        quick = {
            "quick": True,
            "folds": 2,
            "most_masks": QUICK_MASKS,
            "segmentation": QUICK_SEGMENTATION,
            "classification": replace(CLASSIFICATION, input_side=QUICK_SIDE),
        }
        return cls(**{**quick, **settings})

    @property
    def chosen_arms(self) -> tuple[Arm, ...]:
        return chosen_arms(self.arms)

    @property
    def input_side(self) -> int:
        """Pixels of the square that every arm is resized to."""
        return self.classification.phases[-1].input_size[0]

    def of_arm(self, arm: Arm, seed: int) -> ClassificationConfig:
        """Settings of one training; no phase ends early, so that all arms take the same steps."""
        training = self.classification
        return replace(
            training,
            view=arm.view,
            margin=arm.margin,
            boxes="reference",
            jitter=0.0,
            patience=training.small_epochs + training.epochs + training.head_epochs + 1,
            seed=seed,
        )

    def shared_settings(self) -> Mapping[str, Any]:
        """What every arm and seed in one folder must have in common; more of these can be added to it later."""
        settings = asdict(self)
        free = ("arms", "seeds", "resamples", "robustness")
        return {name: value for name, value in settings.items() if name not in free}
