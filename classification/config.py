"""The settings of a classification training."""

from dataclasses import dataclass, field
from typing import Literal

from segmentation.engine.phases import Phase, Strength

View = Literal["full", "crop"]
ControlView = Literal["centre-crop", "random-crop", "masked", "context-only"]
AnyView = View | ControlView
Boxes = Literal["predicted", "reference"]
Grouping = Literal["diagnosis", "malignancy"]
Imbalance = Literal["none", "class-weights", "focal", "square-root", "balanced", "logit-adjustment"]
Monitor = Literal["macro-f1", "loss"]


@dataclass(frozen=True)
class ClassificationConfig:
    """Settings of a classification training.

    Attributes
    ----------
    view : "full" or "crop", or a view that a comparison sets beside them
        Whether the classifier sees the whole image or the box around the lesion; see `classification.views.viewed` for
        the others, which take their masks from the catalog and no jitter.
    boxes : "predicted" or "reference"
        Where the crop's boxes come from: a segmentation run, or the dataset's own masks.
    margin : float
        Of the box around the lesion, on every side, as a part of the lesion's longer side.
    jitter : float
        The most by which a box is moved and resized in training, as a part of its side.
    grouping : "diagnosis" or "malignancy"
    malignant : names of classes
        Those of the user's own that count as malignant; then the user's others count as benign.
    only : names of classes, or None
        Images of other diagnoses are left out.
    imbalance : "none", "class-weights", "focal", "square-root", "balanced" or "logit-adjustment"
        What is done about rare classes: nothing; their loss is weighted by the inverse of their count; focal loss
        (Lin et al. 2017) with these weights; they are drawn more often, by the square root of their count or as often
        as all others; the logarithm of each class's share is added to its logit in the loss (Menon et al. 2021,
        arXiv 2007.07314), so that the logits themselves rank the classes as if all were equally frequent.
    source_weights : name of a folder -> weight
        Images in a folder of this name are drawn so many times as often as others of their class, and a class counts
        as many images as its weights sum to.
    prior_strength : float in 0..1, or None
        The part of the logarithm of the classes' shares in validation that the finished model answers with, in place of
        those that it has learned, from 0 (all classes alike: the best balanced accuracy) to 1 (the best likelihood).
        None takes the likeliest on validation with "logit-adjustment", and otherwise leaves what was learned. Not with
        "focal", whose logits hold no such shares.
    input_side, small_side : int, multiples of 32
        Pixels of what the trained model takes, and of what the first epochs train at.
    encoder : str
        Of `classification.encoders.ENCODERS`.
    width : float
        The encoder's width multiplier (alpha), where it has one.
    frozen_stride : int
        The encoder's layers up to the last one whose maps are at least the input's side divided by this keep their
        weights in all phases, their batch normalisation included; 0 trains all.
    head_epochs, small_epochs, epochs : int
        Epochs of the head alone and of all layers at the small side, then of all layers at the full side.
    head_learning_rate, learning_rate : float
        Peaks of the head's phase and of the small side's; the full side's is a third of the latter.
    label_smoothing : float
    average_decay : float in 0..1
        Of an exponential moving average of the weights, which takes their place in validation and at the end; 0 keeps
        none.
    teaching : float in 0..1
        With teachers: the part of a training image's target that comes from their answers.
    monitor : "macro-f1" or "loss"
        The figure on validation by which the best epoch is chosen.
    mixup : float
        Alpha of MixUp's Beta distribution (Zhang et al. 2018); 0 mixes no images.
    patience : int
        Epochs without a better figure on validation that end a phase.
    """

    view: AnyView = "crop"
    boxes: Boxes = "predicted"
    margin: float = 0.25
    jitter: float = 0.1
    grouping: Grouping = "diagnosis"
    malignant: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    imbalance: Imbalance = "square-root"
    source_weights: dict[str, float] = field(default_factory=dict)
    input_side: int = 224
    small_side: int = 160
    width: float = 1.0
    frozen_stride: int = 0
    head_epochs: int = 1
    small_epochs: int = 20
    epochs: int = 8
    batch_size: int = 32
    head_learning_rate: float = 2e-3
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    dropout: float = 0.2
    label_smoothing: float = 0.05
    prior_strength: float | None = None
    average_decay: float = 0.0
    teaching: float = 0.5
    monitor: Monitor = "macro-f1"
    mixup: float = 0.0
    augmentation: Strength = "strong"
    encoder: str = "mobilenetv2"
    encoder_weights: str | None = "imagenet"
    patience: int = 8
    seed: int = 0

    @property
    def phases(self) -> list[Phase]:
        """Head, then all layers at the small side, then at the full one; a phase without epochs is left out."""
        small, full = (self.small_side,) * 2, (self.input_side,) * 2
        full_rate = self.learning_rate / 3 if self.small_epochs else self.learning_rate
        phases = (
            Phase("head", small, self.head_epochs, self.head_learning_rate, frozen_encoder=True),
            Phase("small", small, self.small_epochs, self.learning_rate, frozen_stride=self.frozen_stride),
            Phase("full", full, self.epochs, full_rate, frozen_stride=self.frozen_stride),
        )
        return [phase for phase in phases if phase.epochs > 0]

    @property
    def sampling(self) -> str:
        """How the classes are drawn, in the words of `ClassificationBatches`."""
        return self.imbalance if self.imbalance in {"square-root", "balanced"} else "natural"
