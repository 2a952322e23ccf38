"""The speed of a model alone: how fast it could train if its input cost nothing."""

import time
from typing import Any

import keras

from segmentation.engine.feeding import fed

STEPS = 10


class SameBatch(keras.utils.PyDataset):
    """One batch again and again."""

    def __init__(self, batch: tuple[Any, Any], steps: int) -> None:
        super().__init__()
        self.batch, self.steps = batch, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.batch


class StepTimes(keras.callbacks.Callback):
    """When each step ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.ends.append(time.perf_counter())


def images_per_second_alone(model: keras.Model, batch: tuple[Any, Any], steps: int = STEPS) -> float:
    """Images a second at which a compiled model trains on a batch that is ready.

    It changes the model's weights and the state of its optimizer. The first step, which may compile, does not count.
    """
    times = StepTimes()
    model.fit(fed(SameBatch(batch, steps + 1)), shuffle=False, verbose=0, callbacks=[times])
    return steps * len(batch[0]) / (times.ends[-1] - times.ends[0])
