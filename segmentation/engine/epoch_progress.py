"""A training's progress on standard error."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from segmentation.engine.phases import Phase


class EpochProgress(keras.callbacks.Callback):
    """A bar for the epoch that runs and a line for each that is done."""

    def __init__(self, progress: Progress, phase: Phase, steps: int, monitor: str, patience: int) -> None:
        super().__init__()
        self.progress, self.phase, self.steps = progress, phase, steps
        self.monitor, self.patience = monitor, patience
        self._best, self._best_epoch = -math.inf, 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        name = f"{self.phase.name} {epoch + 1}/{self.phase.epochs}"
        self._start = time.perf_counter()
        self._task = self.progress.add_task(name, total=self.steps)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.progress.update(self._task, completed=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        self.progress.remove_task(self._task)
        self.progress.console.print(
            f"{self.phase.name} {epoch + 1}/{self.phase.epochs}: loss {logs['loss']:.4f}, "
            f"validation loss {logs['val_loss']:.4f}, {self.monitor.removeprefix('val_')} {logs[self.monitor]:.4f}"
            f"{self._standing(epoch, logs)}",
            highlight=False,
            soft_wrap=True,
        )

    def _standing(self, epoch: int, logs: dict[str, float]) -> str:
        """Whether this epoch is the best one, and how long it is to the end or why it comes now."""
        figure = -logs[self.monitor] if self.monitor == "val_loss" else logs[self.monitor]
        if figure > self._best:
            self._best, self._best_epoch = figure, epoch
        best = (
            ", the best so far"
            if self._best_epoch == epoch
            else f", the best was epoch {self._best_epoch + 1}"
        )
        left = self.phase.epochs - epoch - 1
        if not left:
            return best
        if epoch - self._best_epoch >= self.patience:
            return f"{best}; {self.patience} epochs without a better one end the phase"
        minutes = (time.perf_counter() - self._start) * left / 60
        return f"{best}; {minutes:.0f} min to the end of the phase" if minutes >= 1 else best


@contextmanager
def progress_display() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield progress
