"""The settings of a segmentation training."""

from dataclasses import dataclass

from segmentation.engine.phases import Phase, Strength

DECODER_FILTERS = (64, 48, 32, 16, 16)


@dataclass(frozen=True)
class SegmentationConfig:
    """Settings of a segmentation training.

    Attributes
    ----------
    input_size : (height, width), multiples of 32
        What the trained model takes. Images of every aspect are stretched to it.
    small_size : (height, width), multiples of 32
        What the first phase trains at, because smaller images train faster.
    small_epochs, epochs : int
        Epochs at the small size and at the full size.
    learning_rate : float
        Peak of the first phase; the second has half of it.
    average_decay : float in 0..1
        Of an exponential moving average of the weights, which takes their place in validation and at the end; 0 keeps
        none.
    augmentation : "none", "light", "strong" or "varied"
    encoder : str
        Of `segmentation.encoders.ENCODERS`.
    patience : int
        Epochs without a better validation Jaccard that end a phase.
    """

    input_size: tuple[int, int] = (192, 256)
    small_size: tuple[int, int] = (128, 160)
    small_epochs: int = 12
    epochs: int = 6
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    average_decay: float = 0.0
    augmentation: Strength = "strong"
    encoder: str = "mobilenetv2"
    encoder_weights: str | None = "imagenet"
    decoder_filters: tuple[int, ...] = DECODER_FILTERS
    patience: int = 6
    seed: int = 0

    @property
    def phases(self) -> list[Phase]:
        """The small size first, then the full one; a phase without epochs is left out."""
        small = Phase("small", self.small_size, self.small_epochs, self.learning_rate)
        full = Phase(
            "full",
            self.input_size,
            self.epochs,
            self.learning_rate / 2 if self.small_epochs else self.learning_rate,
        )
        return [phase for phase in (small, full) if phase.epochs > 0]
