"""Fit a model into a run folder, phase by phase, so that a kill or Ctrl-C loses an epoch at the most."""

import importlib.util
import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import joblib
import keras
import numpy as np

from data.batches import Batches
from data.files import replacing, write_text
from data.one_thread import opencv_in_one_thread
from segmentation.engine.averaging import averaged_weights
from segmentation.engine.curves import save_figure, training_curves
from segmentation.engine.devices import spread_over
from segmentation.engine.divergence import StopOnDivergence, check_weights
from segmentation.engine.epoch_progress import EpochProgress, progress_display
from segmentation.engine.feeding import fed
from segmentation.engine.normalization import keep_averages_up
from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import Run
from segmentation.engine.timing import images_per_second_alone

# Of graphs that are traced again, as every phase and fold does.
logging.getLogger("tensorflow").setLevel(logging.ERROR)


@dataclass
class FitState:
    """Where a training stands after an epoch."""

    phase: int = 0
    epoch: int = 0
    best: float = -math.inf
    epochs_since_best: int = 0
    seconds: float = 0.0
    images: int = 0
    input_seconds: float = 0.0
    timed_images: int = 0
    model_seconds: float = 0.0
    interrupted: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def speed(self) -> dict[str, float | None]:
        """Seconds of training steps, cores, images a second, and what the model or its input alone would allow.

        The input alone is what one core makes. The model alone is timed at the end of a phase, so that an interrupted
        first phase has no figure of it.
        """
        alone = self.timed_images / self.model_seconds if self.model_seconds else None
        return {
            "cores": joblib.cpu_count(),
            "training_seconds": round(self.seconds, 1),
            "images_per_second": round(self.images / max(self.seconds, 1e-9), 1),
            "model_images_per_second": None if alone is None else round(alone, 1),
            "input_images_per_second": round(self.images / max(self.input_seconds, 1e-9), 1),
        }


@opencv_in_one_thread()  # the input keeps to one thread; the others are for the training steps
def fit(
    run: Run,
    phases: Sequence[Phase],
    build_model: Callable[[Phase], keras.Model],
    make_batches: Callable[[Phase], tuple[Batches, Batches]],
    compile_model: Callable[[keras.Model, Phase, int], None],
    *,
    monitor: str,
    patience: int,
    devices: int = 1,
) -> FitState:
    """Train through the phases, each from the best weights of the one before; go on where the run stopped.

    Parameters
    ----------
    run : Run
        `model.keras` is its best model of the latest phase by `monitor`.
    phases : sequence of Phase
    build_model : phase -> model
        Models of different phases have the same weights' shapes.
    make_batches : phase -> training and validation batches
    compile_model : model, phase, steps an epoch -> None
    monitor : str
        A figure of the validation, the larger the better, or "val_loss".
    patience : int
        A phase ends after this many epochs without a better figure.
    devices : int
        Each gets an equal part of every batch; what can't be divided is left out of an epoch.

    Returns
    -------
    FitState
        `interrupted` is set where Ctrl-C ended the training; the best model until then is in the run.
    """
    state = read_state(run)
    state.interrupted = False
    with spread_over(devices):
        for number in range(state.phase, len(phases)):
            phase = phases[number]
            training, validation = make_batches(phase)
            training.multiple = validation.multiple = devices
            model = build_model(phase)
            keep_averages_up(model, phase.epochs * len(training))
            _start_from_best(run, state, model)
            compile_model(model, phase, len(training))
            if devices == 1 and keras.backend.backend() == "tensorflow":
                make_variables(model, training[0])
            _restore(run, state, model)
            try:
                _fit_phase(run, phase, model, training, validation, state, monitor, patience)
                _time_model(state, model, training)
            except KeyboardInterrupt:
                state.interrupted = True
                _keep_something(run, model)
                return state
            state.phase, state.epoch, state.best, state.epochs_since_best = number + 1, 0, -math.inf, 0
            more = number + 1 < len(phases)
            _write_state(run, state, keras.models.load_model(run.model_path, compile=False) if more else None)
    return state


def _keep_something(run: Run, model: keras.Model) -> None:
    """Keep the model as it is where no epoch has left one."""
    if not run.model_path.exists():
        check_weights(model)
        save_model(model, run.model_path)


def read_state(run: Run) -> FitState:
    """The state that the run's last finished epoch left; a new one where there is none."""
    file = run.checkpoint_folder / "state.json"
    return FitState(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else FitState()


def _fit_phase(
    run: Run,
    phase: Phase,
    model: keras.Model,
    training: Batches,
    validation: Batches,
    state: FitState,
    monitor: str,
    patience: int,
) -> None:
    if state.epochs_since_best >= patience or state.epoch >= phase.epochs:
        return
    callbacks: list[keras.callbacks.Callback] = [
        StopOnDivergence(phase),
        Checkpoint(run, phase, training, state, monitor, patience),
    ]
    if model.optimizer.use_ema:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if importlib.util.find_spec("tensorboard") and keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(str(run.log_folder / phase.name), profile_batch=0))
    with progress_display() as progress:
        callbacks.append(EpochProgress(progress, phase, len(training), monitor, patience))
        model.fit(
            fed(training),
            validation_data=fed(validation),
            initial_epoch=state.epoch,
            epochs=phase.epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )


def _time_model(state: FitState, model: keras.Model, training: Batches) -> None:
    images = state.epoch * training.count
    state.timed_images += images
    state.model_seconds += images / images_per_second_alone(model, training[0])


class Checkpoint(keras.callbacks.Callback):
    """After every epoch: keep the best model, the point to resume from and the history; stop early."""

    def __init__(
        self, run: Run, phase: Phase, training: Batches, state: FitState, monitor: str, patience: int
    ) -> None:
        super().__init__()
        self.run, self.phase, self.training, self.state = run, phase, training, state
        self.monitor, self.patience = monitor, patience

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._start = time.perf_counter()
        self._validation_seconds = 0.0
        self.training.seconds = 0.0
        self.training.epoch = epoch  # Keras ends an epoch of its own before the first one
        self._seed_dropout(epoch)

    def _seed_dropout(self, epoch: int) -> None:
        """Let phase and epoch decide on the masks, because Keras saves no state of them to resume from."""
        rng = np.random.default_rng((self.training.seed, self.state.phase, epoch))
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                variable.assign(rng.integers(2**31, size=2))

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self._validation_start = time.perf_counter()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        self._validation_seconds += time.perf_counter() - self._validation_start

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        state = self.state
        seconds = time.perf_counter() - self._start - self._validation_seconds
        state.seconds += seconds
        state.images += self.training.count
        state.input_seconds += self.training.seconds
        state.epoch = epoch + 1
        state.history.append(
            {"phase": self.phase.name, "epoch": epoch + 1, **figures, "seconds": round(seconds, 1)}
        )
        figure = -figures[self.monitor] if self.monitor == "val_loss" else figures[self.monitor]
        if figure > state.best:
            state.best, state.epochs_since_best = figure, 0
            with averaged_weights(self.model):
                save_model(self.model, self.run.model_path)
        else:
            state.epochs_since_best += 1
            self.model.stop_training = state.epochs_since_best >= self.patience
        _write_state(self.run, state, self.model)
        save_figure(training_curves(state.history, self.monitor), self.run.folder / "curves.png")


def make_variables(model: keras.Model, batch: tuple[Any, ...]) -> None:
    """Make the variables of a compiled model's optimizer and metrics, on a batch of images and targets.

    Keras makes them in the first step. TensorFlow then traces that step twice, once with and once without them, which
    takes as long as a small training.
    """
    images, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
    model.optimizer.build(model.trainable_variables)
    nothing = keras.ops.zeros(model.compute_output_shape(images.shape))
    model.compute_metrics(images, targets, nothing, weights)
    model.reset_metrics()


def _start_from_best(run: Run, state: FitState, model: keras.Model) -> None:
    """Give a phase that begins the best weights of the one before, as the checkpoint keeps them.

    `model.keras` would not do: the phase overwrites it in its first epoch, which a kill may leave unfinished.
    """
    if state.phase > 0 and state.epoch == 0:
        kept = _kept_weights(run, state)
        best = keras.models.load_model(kept if kept.exists() else run.model_path, compile=False)
        model.set_weights(best.get_weights())


def _restore(run: Run, state: FitState, model: keras.Model) -> None:
    """Give the model the weights, and its optimizer the state, of the phase's last finished epoch."""
    if state.epoch > 0:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(_kept_weights(run, state))


def _write_state(run: Run, state: FitState, model: keras.Model | None) -> None:
    """The weights first and then the state that names them, so that a kill in between leaves the older pair whole."""
    weights = run.checkpoint_folder / f"{_weights_name(state)}.keras"
    if model is not None:
        save_model(model, weights)
    write_text(run.checkpoint_folder / "state.json", json.dumps(asdict(state)))
    run.write_history(state.history)
    for file in run.checkpoint_folder.iterdir():
        if file.name not in {weights.name, "state.json"}:
            file.unlink()


def _weights_name(state: FitState) -> str:
    return f"phase-{state.phase}-epoch-{state.epoch}"


def _kept_weights(run: Run, state: FitState) -> Path:
    """Where the weights of a state are, also in a run that an earlier version began."""
    earlier = run.checkpoint_folder / f"{_weights_name(state)}.weights.h5"
    return earlier if earlier.exists() else run.checkpoint_folder / f"{_weights_name(state)}.keras"


def save_model(model: keras.Model, path: Path) -> None:
    """Write a model in one step; it is put together in memory, because HDF5 crashes on a full disk."""
    with replacing(path) as temporary:
        model.save(temporary)


def remove_cache(run: Run) -> None:
    """Remove the decoded images; a resumed training makes them anew."""
    shutil.rmtree(run.cache_folder, ignore_errors=True)
