"""A training goes through its phases, keeps its best model, and is the same whether it was killed in between or not."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from keras import ops

from data.batches import Batches
from segmentation.engine import fitting
from segmentation.engine.divergence import check_weights
from segmentation.engine.fitting import EpochProgress, FitState, fit, read_state
from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import Run, RunError
from segmentation.engine.schedule import adam_with_cosine, compile_for_backend

PEAK = 6.0


class Killed(BaseException):
    """The end of the process, as far as one process can tell."""


class Ones(Batches):
    """Four images that are all 1, in two batches."""

    def __init__(self) -> None:
        super().__init__(4, 2, shuffle=False, seed=0)

    def make_batch(self, positions: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.ones((len(positions), 1), np.float32), np.ones((len(positions), 1), np.float32)


def climb(run: Run, phases: list[Phase], patience: int = 10) -> FitState:
    """Fit a model whose one weight grows by 1 a step, two an epoch, and whose figure is best where it is `PEAK`."""

    def build_model(_: Phase) -> keras.Model:
        image = keras.Input((1,))
        return keras.Model(image, keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(image))

    def compile_model(model: keras.Model, *_) -> None:
        def depth(_, height):
            return -height

        def nearness(_, height):
            return -ops.abs(height - PEAK)

        model.compile(
            optimizer=keras.optimizers.SGD(1.0),
            loss=depth,
            metrics=[nearness],
            jit_compile=False,
        )

    return fit(
        run,
        phases,
        build_model,
        lambda _: (Ones(), Ones()),
        compile_model,
        monitor="val_nearness",
        patience=patience,
    )


def weight(run: Run) -> float:
    return keras.models.load_model(run.model_path, compile=False).get_weights()[0].item()


def phase(name: str = "small", epochs: int = 3) -> Phase:
    return Phase(name, (1, 1), epochs, learning_rate=0.05)


def test_phases_follow_each_other_and_each_starts_from_the_best_before(tmp_path: Path) -> None:
    run = Run(tmp_path)
    state = climb(run, [phase("small", epochs=4), phase("full", epochs=2)])
    # Weights after the epochs: 2, 4, 6, 8, and then, from the best, which is 6: 8, 10.
    assert [(row["phase"], row["epoch"], row["val_nearness"]) for row in state.history] == [
        ("small", 1, -4),
        ("small", 2, -2),
        ("small", 3, 0),
        ("small", 4, -2),
        ("full", 1, -2),
        ("full", 2, -4),
    ]
    assert weight(run) == 8
    assert state.phase == 2
    assert not state.interrupted


def test_a_phase_ends_when_its_figure_no_longer_grows(tmp_path: Path) -> None:
    state = climb(Run(tmp_path), [phase("small", epochs=50), phase("full", epochs=50)], patience=2)
    assert [row["phase"] for row in state.history] == ["small"] * 5 + ["full"] * 3
    assert weight(Run(tmp_path)) == 8


def test_the_history_is_a_table_of_every_epoch(tmp_path: Path) -> None:
    state = climb(Run(tmp_path), [phase(epochs=2)])
    table = pd.read_csv(tmp_path / "history.csv")
    assert list(table.columns) == [
        "phase",
        "epoch",
        "loss",
        "nearness",
        "val_loss",
        "val_nearness",
        "seconds",
    ]
    assert table["val_loss"].tolist() == [-2, -4]
    assert len(table) == len(state.history) == 2


def test_the_speed_counts_images_and_the_time_of_their_batches(tmp_path: Path) -> None:
    state = climb(Run(tmp_path), [phase(epochs=3)])
    assert state.images == 12
    assert 0 < state.input_seconds < state.seconds
    assert state.speed["input_images_per_second"] > state.speed["images_per_second"] > 0


def test_the_model_alone_is_timed_after_each_phase_and_leaves_the_best_weights(tmp_path: Path) -> None:
    first, second = (phase(name, epochs=2) for name in ("small", "full"))
    state = climb(Run(tmp_path), [first, second])
    assert state.timed_images == state.images == 16
    assert state.speed["model_images_per_second"] > 0
    assert weight(Run(tmp_path)) == PEAK


def test_an_interrupted_first_phase_has_no_time_of_the_model_alone() -> None:
    assert FitState(images=4, seconds=1.0).speed["model_images_per_second"] is None


def test_a_finished_training_has_nothing_left_to_resume(tmp_path: Path) -> None:
    first = climb(Run(tmp_path), [phase(epochs=2)])
    again = climb(Run(tmp_path), [phase(epochs=2)])
    assert again.history == first.history
    assert weight(Run(tmp_path)) == 4
    assert [file.name for file in (tmp_path / "checkpoint").iterdir()] == ["state.json"]


def raise_in_step(monkeypatch: pytest.MonkeyPatch, number: int, error: type[BaseException]) -> None:
    """Let the training step of that number, counted from 1 over all epochs, raise an error."""
    steps = iter(range(1, 10_000))
    show = EpochProgress.on_train_batch_end

    def on_train_batch_end(callback: EpochProgress, batch: int, logs: dict | None = None) -> None:
        if next(steps) == number:
            raise error
        show(callback, batch, logs)

    monkeypatch.setattr(EpochProgress, "on_train_batch_end", on_train_batch_end)


def test_ctrl_c_leaves_the_best_model_and_says_that_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_in_step(monkeypatch, 8, KeyboardInterrupt)
    state = climb(Run(tmp_path), [phase(epochs=50), phase("full")])
    assert state.interrupted
    assert len(state.history) == 3
    assert weight(Run(tmp_path)) == PEAK


def test_ctrl_c_in_the_first_epoch_leaves_a_model_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_in_step(monkeypatch, 1, KeyboardInterrupt)
    state = climb(Run(tmp_path), [phase()])
    assert state.interrupted
    assert state.history == []
    assert weight(Run(tmp_path)) == 1


def test_a_training_goes_on_after_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        raise_in_step(patch, 4, KeyboardInterrupt)
        climb(Run(tmp_path), [phase(epochs=3)])
    state = climb(Run(tmp_path), [phase(epochs=3)])
    assert not state.interrupted
    assert [row["val_nearness"] for row in state.history] == [-4, -2, 0]


class NoisyDiscs(Batches):
    """Sixteen images, half of them with a bright spot, in training with changing order and noise."""

    def __init__(self, shuffle: bool) -> None:
        super().__init__(16, 4, shuffle=shuffle, seed=0)

    def make_batch(self, positions: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        noise = [
            np.random.default_rng(seed).normal(size=(8, 8, 1))
            for seed in (seeds if self.shuffle else positions)
        ]
        labels = (positions % 2)[:, None].astype(np.float32)
        images = np.float32(noise)
        images[:, 2:5, 2:5] += labels[:, :, None, None]
        return images, labels


PHASES = [phase("small", epochs=2), phase("full", epochs=2)]
STEPS_AN_EPOCH = 4


def train_noisily(folder: Path) -> FitState:
    """A training in which order, noise, dropout, schedule and the optimizer's moments all matter."""

    def build_model(_: Phase) -> keras.Model:
        image = keras.Input((8, 8, 1))
        features = keras.layers.Conv2D(4, 3, activation="relu")(image)
        features = keras.layers.BatchNormalization()(features)
        dropped = keras.layers.Dropout(0.5)(keras.layers.Flatten()(features))
        return keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(dropped))

    def compile_model(model: keras.Model, phase: Phase, steps: int) -> None:
        compile_for_backend(
            model,
            optimizer=adam_with_cosine(phase, steps, weight_decay=1e-3),
            loss="binary_crossentropy",
            metrics=["accuracy"],
        )

    keras.utils.set_random_seed(0)
    return fit(
        Run(folder),
        PHASES,
        build_model,
        lambda _: (NoisyDiscs(shuffle=True), NoisyDiscs(shuffle=False)),
        compile_model,
        monitor="val_accuracy",
        patience=5,
    )


def figures(state: FitState) -> pd.DataFrame:
    return pd.DataFrame(state.history).drop(columns="seconds")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """History and weights of the training when nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    state = train_noisily(folder)
    return figures(state), keras.models.load_model(folder / "model.keras", compile=False).get_weights()


def assert_same_training(
    folder: Path, state: FitState, undisturbed: tuple[pd.DataFrame, list[np.ndarray]]
) -> None:
    history, weights = undisturbed
    pd.testing.assert_frame_equal(figures(state), history, rtol=1e-5)
    found = keras.models.load_model(folder / "model.keras", compile=False).get_weights()
    for mine, theirs in zip(found, weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(STEPS_AN_EPOCH + 2, id="in the second epoch"),
        pytest.param(2 * STEPS_AN_EPOCH + 1, id="in the first epoch of the second phase"),
    ],
)
def test_a_killed_training_continues_as_if_nothing_had_been(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: tuple[pd.DataFrame, list[np.ndarray]],
    step: int,
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        raise_in_step(patch, step, Killed)
        train_noisily(tmp_path)
    assert_same_training(tmp_path, train_noisily(tmp_path), undisturbed)


@pytest.mark.parametrize("dies_in", ["save_model", "write_text"])
@pytest.mark.parametrize(
    ("dies_at", "kept"),
    [
        pytest.param((0, 2), (0, 1), id="in an epoch of the first phase"),
        pytest.param((1, 0), (0, 2), id="between the phases"),
        pytest.param((1, 1), (1, 0), id="in the first epoch of the second phase"),
    ],
)
def test_a_training_killed_while_it_saves_continues_as_if_nothing_had_been(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: tuple[pd.DataFrame, list[np.ndarray]],
    dies_in: str,
    dies_at: tuple[int, int],
    kept: tuple[int, int],
) -> None:
    def write_half(*_) -> None:
        raise Killed

    def write_state_and_die(run: Run, state: FitState, model: keras.Model | None) -> None:
        if (state.phase, state.epoch) == dies_at:
            monkeypatch.setattr(fitting, dies_in, write_half)
        write_state(run, state, model)

    write_state = fitting._write_state
    monkeypatch.setattr(fitting, "_write_state", write_state_and_die)
    with pytest.raises(Killed):
        train_noisily(tmp_path)
    monkeypatch.undo()
    state = read_state(Run(tmp_path))
    assert (state.phase, state.epoch) == kept
    assert_same_training(tmp_path, train_noisily(tmp_path), undisturbed)


def test_a_training_that_diverges_stops_and_leaves_nothing_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PEAK", math.nan)
    with pytest.raises(
        RunError, match=r"epoch 1 of the small phase nearness is nan; .* a lower --learning-rate"
    ):
        climb(Run(tmp_path), [phase()])
    assert not Run(tmp_path).holds_training


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_not_kept(value: float) -> None:
    image = keras.Input((1,))
    model = keras.Model(image, keras.layers.Dense(1)(image))
    check_weights(model)
    model.set_weights([np.array([[value]]), np.zeros(1)])
    with pytest.raises(RunError, match="diverged: some weights are no numbers"):
        check_weights(model)


def test_a_process_killed_by_the_system_can_be_resumed_by_another(
    tmp_path: Path, undisturbed: tuple[pd.DataFrame, list[np.ndarray]]
) -> None:
    script = f"""
import importlib.util, os, signal, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("test_fitting", {str(Path(__file__))!r})
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
steps = iter(range(1, 1000))
tests.EpochProgress.on_train_batch_end = (
    lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL) if next(steps) == 3 * tests.STEPS_AN_EPOCH + 2 else None
)
tests.train_noisily(Path({str(tmp_path)!r}))
"""
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    saved = json.loads((tmp_path / "checkpoint" / "state.json").read_text())
    assert (saved["phase"], saved["epoch"], len(saved["history"])) == (1, 1, 3)
    assert_same_training(tmp_path, train_noisily(tmp_path), undisturbed)


def test_keras_is_given_the_batches_of_the_epoch_that_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[int] = []
    training = Ones()
    monkeypatch.setattr(EpochProgress, "on_train_batch_end", lambda *_, **__: ends.append(training.epoch))
    monkeypatch.setattr(sys.modules[__name__], "Ones", lambda: training)
    climb(Run(tmp_path), [phase(epochs=3)])
    assert ends[::2] == [0, 1, 2]


def test_the_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    optimizer = adam_with_cosine(Phase("full", (1, 1), epochs=10, learning_rate=0.4), 10, weight_decay=0.01)
    rates = [float(optimizer._learning_rate(step)) for step in (0, 5, 52, 100)]
    assert rates == pytest.approx([0.02, 0.4, 0.2, 0.0], abs=0.006)


def test_jax_trains_and_resumes_as_tensorflow_does(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    script = f"""
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("test_fitting", {str(Path(__file__))!r})
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
assert tests.keras.backend.backend() == "jax"
show, steps = tests.EpochProgress.on_train_batch_end, iter(range(1, 1000))
def die(*_, **__):
    if next(steps) == 2 * tests.STEPS_AN_EPOCH + 1:
        raise tests.Killed
undisturbed = tests.train_noisily(Path({str(tmp_path)!r}) / "undisturbed")
tests.EpochProgress.on_train_batch_end = die
try:
    tests.train_noisily(Path({str(tmp_path)!r}) / "killed")
except tests.Killed:
    tests.EpochProgress.on_train_batch_end = show
resumed = tests.train_noisily(Path({str(tmp_path)!r}) / "killed")
tests.pd.testing.assert_frame_equal(tests.figures(resumed), tests.figures(undisturbed), rtol=1e-5)
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
