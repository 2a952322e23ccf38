"""A training's progress on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from segmentation.engine.phases import Phase


class EpochProgress(keras.callbacks.Callback):
    """A bar for the epoch that runs and a line for each that is done."""

    def __init__(self, progress: Progress, phase: Phase, steps: int, monitor: str) -> None:
        super().__init__()
        self.progress, self.phase, self.steps, self.monitor = progress, phase, steps, monitor

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        name = f"{self.phase.name} {epoch + 1}/{self.phase.epochs}"
        self._task = self.progress.add_task(name, total=self.steps)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.progress.update(self._task, completed=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        self.progress.remove_task(self._task)
        self.progress.console.print(
            f"{self.phase.name} {epoch + 1}/{self.phase.epochs}: loss {logs['loss']:.4f}, "
            f"validation loss {logs['val_loss']:.4f}, {self.monitor.removeprefix('val_')} {logs[self.monitor]:.4f}",
            highlight=False,
        )


@contextmanager
def progress_display() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield progress
