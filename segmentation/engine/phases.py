"""A phase of a training, and the words for how strongly images are varied in it."""

from dataclasses import dataclass
from typing import Literal

Strength = Literal["none", "light", "strong", "varied"]


@dataclass(frozen=True)
class Phase:
    """A stretch of training at one image size.

    The learning rate rises to its peak over the first twentieth of the steps and then falls to zero along a cosine.
    With a `frozen_stride` the layers whose maps are at least the input's side divided by it keep their weights.
    """

    name: str
    input_size: tuple[int, int]
    epochs: int
    learning_rate: float
    frozen_encoder: bool = False
    frozen_stride: int = 0
