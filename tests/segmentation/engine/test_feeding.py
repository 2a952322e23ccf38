"""What `fit` is given is the batches in their order, made anew for every epoch."""

import keras
import numpy as np
import pytest

from data.batches import Batches
from segmentation.engine.feeding import fed


class Counted(Batches):
    """Batches of positions, seeds and the epoch; the last one is shorter."""

    def __init__(self, count: int = 7) -> None:
        super().__init__(count, 3, shuffle=True, seed=4)

    def make_batch(self, positions: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        epochs = np.full((len(positions), 1), self.epoch, np.float32)
        return np.stack([positions, seeds], axis=1), epochs


on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a tf.data.Dataset is for TensorFlow"
)


@on_tensorflow
def test_every_batch_comes_in_its_order_and_its_type() -> None:
    batches = Counted()
    dataset = fed(batches)
    assert len(dataset) == len(batches) == 3
    for found, index in zip(dataset.as_numpy_iterator(), range(3), strict=True):
        for part, expected in zip(found, batches[index], strict=True):
            np.testing.assert_array_equal(part, expected)
            assert part.dtype == expected.dtype


@on_tensorflow
def test_each_round_has_the_epoch_that_was_set_before_it() -> None:
    batches = Counted()
    dataset = fed(batches)
    for epoch in (0, 5):
        batches.epoch = epoch
        assert {value for _, epochs in dataset.as_numpy_iterator() for value in epochs.flat} == {epoch}


@on_tensorflow
def test_nothing_is_tuned_while_it_runs() -> None:
    assert fed(Counted()).options().autotune.enabled is False


def test_other_backends_get_the_batches_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    batches = Counted()
    assert fed(batches) is batches
