"""The U-Net, and a batch normalisation that is Keras's own, only faster."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from segmentation.engine.normalization import (
    FusedBatchNormalization,
    keep_averages_up,
    with_fused_batch_normalization,
)
from segmentation.model import _of_keras, build_unet

DECODER = (16, 8, 8, 4, 4)


@pytest.fixture(scope="module")
def unet() -> keras.Model:
    return build_unet((32, 64), None, DECODER)


def photographs(count: int = 2, size: tuple[int, int] = (32, 64)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3), np.uint8)


def test_the_unet_gives_every_pixel_a_probability(unet: keras.Model) -> None:
    probabilities = unet.predict_on_batch(photographs())
    assert probabilities.shape == (2, 32, 64, 1)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert probabilities.std() > 0


def test_the_unet_takes_its_encoder_from_a_file(tmp_path: Path, unet: keras.Model) -> None:
    encoder = keras.applications.MobileNetV2(input_shape=(32, 32, 3), include_top=False, weights=None)
    encoder.save_weights(tmp_path / "encoder.weights.h5")
    kernel = encoder.get_layer("Conv1").get_weights()[0]
    pretrained = build_unet((32, 64), tmp_path / "encoder.weights.h5", DECODER)
    assert any(np.array_equal(weight, kernel) for weight in pretrained.get_weights())
    assert not any(np.array_equal(weight, kernel) for weight in unet.get_weights())


def test_a_saved_unet_says_the_same_when_it_is_loaded(tmp_path: Path, unet: keras.Model) -> None:
    unet.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(
        loaded.predict_on_batch(photographs()), unet.predict_on_batch(photographs()), atol=1e-6
    )
    assert any(isinstance(layer, FusedBatchNormalization) for layer in loaded._flatten_layers())


def test_the_input_has_the_range_of_pixels(unet: keras.Model) -> None:
    dark, bright = (unet.get_layer("scale")(np.float32([[[[value] * 3]]])) for value in (0, 255))
    assert np.asarray(dark).ravel().tolist() == [-1, -1, -1]
    assert np.asarray(bright).ravel() == pytest.approx(1)


class Normalised:
    """A layer with random scale and offset that has seen one batch in training: its outputs, gradients and averages."""

    def __init__(self, layer_class: type[keras.layers.Layer], shape: tuple[int, ...], **settings) -> None:
        rng = np.random.default_rng(0)
        inputs = tf.constant(rng.normal(2, 3, shape).astype(np.float32))
        weighting = rng.normal(size=shape).astype(np.float32)
        self.layer = layer_class(momentum=0.9, epsilon=1e-3, **settings)
        self.layer.build(shape)
        channels = shape[-1]
        weights = [rng.normal(1, 0.3, channels), *rng.normal(size=(2, channels)), rng.uniform(1, 4, channels)]
        self.layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            self.outputs = self.layer(inputs, training=True)
            loss = tf.reduce_sum(self.outputs * weighting)
        sources = [inputs, *(variable.value for variable in self.layer.trainable_variables)]
        self.gradients = [gradient.numpy() for gradient in tape.gradient(loss, sources)]
        self.averages = [np.asarray(self.layer.moving_mean), np.asarray(self.layer.moving_variance)]
        self.inference = np.asarray(self.layer(inputs, training=False))


@pytest.mark.parametrize("shape", [(8, 12, 10, 4), (2, 1, 1, 3), (1, 1, 1, 3)])
def test_the_fused_kernel_normalises_differentiates_and_averages_as_keras_does(
    shape: tuple[int, ...],
) -> None:
    fused, plain = (
        Normalised(FusedBatchNormalization, shape),
        Normalised(keras.layers.BatchNormalization, shape),
    )
    np.testing.assert_allclose(fused.outputs, plain.outputs, atol=1e-4)
    for mine, theirs in zip(fused.gradients, plain.gradients, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
    for mine, theirs in zip(fused.averages, plain.averages, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    np.testing.assert_allclose(fused.inference, plain.inference, atol=1e-5)


def test_the_fused_kernel_is_really_used(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    kernel = tf.compat.v1.nn.fused_batch_norm
    monkeypatch.setattr(
        tf.compat.v1.nn, "fused_batch_norm", lambda *a, **k: calls.append(1) or kernel(*a, **k)
    )
    Normalised(FusedBatchNormalization, (2, 3, 3, 2))
    assert len(calls) == 1


def test_a_frozen_layer_uses_its_averages_and_leaves_them_alone() -> None:
    layer = FusedBatchNormalization(trainable=False)
    inputs = np.random.default_rng(0).normal(5, 2, (4, 3, 3, 2)).astype(np.float32)
    outputs = np.asarray(layer(inputs, training=True))
    np.testing.assert_allclose(outputs, inputs / np.sqrt(1.001), rtol=1e-5)
    assert np.asarray(layer.moving_mean).tolist() == [0, 0]
    assert np.asarray(layer.moving_variance).tolist() == [1, 1]


def test_exchanging_the_normalisation_keeps_the_predictions() -> None:
    image = keras.Input((8, 8, 3))
    features = keras.layers.BatchNormalization(momentum=0.999)(keras.layers.Conv2D(4, 3)(image))
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(features))
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in model.get_weights()])
    fused = with_fused_batch_normalization(model)
    inputs = rng.normal(size=(3, 8, 8, 3))
    np.testing.assert_allclose(fused(inputs), model(inputs), rtol=1e-5)
    assert [type(layer) for layer in fused.layers if "normalization" in layer.name] == [
        FusedBatchNormalization
    ]
    assert fused.layers[2].momentum == 0.99


def test_lesions_can_be_located_by_a_process_that_built_no_model(
    segmentation_run, drawn_catalog, tmp_path
) -> None:
    drawn_catalog.head(2).to_csv(tmp_path / "catalog.csv")
    script = (
        "import sys, pandas; from segmentation.locating import locate_lesions; "
        "from segmentation.engine.run_folder import Run; "
        "from pathlib import Path; print(len(locate_lesions(Run(Path(sys.argv[1])), pandas.read_csv(sys.argv[2]))))"
    )
    located = subprocess.run(
        [sys.executable, "-c", script, str(segmentation_run.folder), str(tmp_path / "catalog.csv")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert located.stdout == "2\n"


def test_the_averages_of_a_short_training_keep_up_with_it() -> None:
    image = keras.Input((4, 4, 2))
    inner = keras.Model(image, keras.layers.BatchNormalization(momentum=0.99)(image))
    outer_image = keras.Input((4, 4, 2))
    model = keras.Model(outer_image, inner(outer_image))
    keep_averages_up(model, 5000)
    assert inner.layers[1].momentum == 0.99
    keep_averages_up(model, 100)
    assert inner.layers[1].momentum == 0.9


def test_layers_that_another_package_defines_become_keras_s_own() -> None:
    class FixedDropout(keras.layers.Dropout):
        pass

    def swish(values):
        return values * keras.ops.sigmoid(values)

    dropout, convolution = FixedDropout(0.3, name="drop"), keras.layers.Conv2D(2, 1, activation=swish)
    assert type(_of_keras(dropout)) is keras.layers.Dropout
    assert _of_keras(dropout).rate == 0.3
    assert _of_keras(convolution).activation is keras.activations.silu
