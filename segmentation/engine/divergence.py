"""Divergence: the end of a training whose figures or weights are no numbers any more."""

import math

import keras
import numpy as np

from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import RunError


class StopOnDivergence(keras.callbacks.Callback):
    """Raise RunError at the first loss, figure or weight that is not finite, before anything of it is kept."""

    def __init__(self, phase: Phase) -> None:
        super().__init__()
        self.phase, self.epoch = phase, 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._check({"loss": (logs or {}).get("loss", 0.0)})

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._check(logs or {})
        check_weights(self.model)

    def _check(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            if not math.isfinite(value):
                raise RunError(
                    f"the training has diverged: in epoch {self.epoch + 1} of the {self.phase.name} phase {name} is "
                    f"{float(value)}; start it with a lower --learning-rate."
                )


def check_weights(model: keras.Model) -> None:
    """Raise RunError where a weight of the model is not finite."""
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise RunError(
            "the training has diverged: some weights are no numbers; start it with a lower --learning-rate."
        )
