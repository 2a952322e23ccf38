"""Averaged weights take the model's place for a while."""

import keras
import numpy as np
import pytest

from segmentation.engine.averaging import averaged_weights


def trained(average_decay: float) -> keras.Model:
    image = keras.Input((1,))
    model = keras.Model(image, keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(image))
    optimizer = keras.optimizers.SGD(1.0, use_ema=average_decay > 0, ema_momentum=average_decay or 0.99)
    model.compile(optimizer=optimizer, loss=lambda _, height: -height, jit_compile=False)
    for _ in range(2):
        model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    return model


def test_the_averaged_weights_lie_between_start_and_end_and_go_again() -> None:
    model = trained(0.5)
    with averaged_weights(model):
        assert 0 < float(model.get_weights()[0][0, 0]) < 2
    assert model.get_weights()[0] == pytest.approx(2)


def test_without_an_average_the_weights_stay() -> None:
    model = trained(0.0)
    with averaged_weights(model):
        assert model.get_weights()[0] == pytest.approx(2)
