"""The classifier gives logits, and maps that say where they come from."""

from pathlib import Path

import keras
import numpy as np
import pytest

from classification.encoders import ENCODERS
from classification.model import LITE, build_classifier, load_classifier, with_activation_map
from classification.priors import ClassPrior
from segmentation.engine.normalization import FusedBatchNormalization
from segmentation.engine.run_folder import Run, RunError

BIAS = np.array([1.0, -2.0, 0.5])


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    classifier = build_classifier(3, 64, None, width=0.35)
    head = classifier.get_layer("logits")
    head.set_weights([head.get_weights()[0], BIAS])
    return classifier


def photographs(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), np.uint8)


def test_every_class_has_a_logit(classifier: keras.Model) -> None:
    logits = classifier.predict_on_batch(photographs())
    assert logits.shape == (2, 3)
    assert (logits < 0).any()


def test_the_activation_maps_mean_and_the_bias_are_the_logit(classifier: keras.Model) -> None:
    logits, activation_map = with_activation_map(classifier).predict_on_batch(photographs())
    assert activation_map.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(activation_map.mean(axis=(1, 2)) + BIAS, logits, atol=1e-5)
    np.testing.assert_allclose(logits, classifier.predict_on_batch(photographs()), atol=1e-5)
    assert activation_map.std(axis=(1, 2)).min() > 0


def test_a_frozen_encoder_leaves_only_the_head_to_train() -> None:
    frozen = build_classifier(3, 32, None, width=0.35, frozen_encoder=True)
    assert [variable.path for variable in frozen.trainable_variables] == ["logits/kernel", "logits/bias"]


def same(layer: keras.layers.Layer, weights: list[np.ndarray]) -> bool:
    return all(np.array_equal(now, then) for now, then in zip(layer.get_weights(), weights, strict=True))


@pytest.mark.parametrize(("stride", "first"), [(4, "block_3_depthwise"), (8, "block_6_depthwise")])
def test_layers_of_large_maps_keep_their_weights_and_averages(stride: int, first: str) -> None:
    partly = build_classifier(3, 64, None, width=0.35, frozen_stride=stride)
    encoder = partly.get_layer("encoder")
    learning = [layer for layer in encoder.layers if layer.trainable_variables]
    assert learning[0].name == first
    before = {layer.name: layer.get_weights() for layer in encoder.layers}
    partly.compile(keras.optimizers.SGD(1.0), "mse")
    partly.train_on_batch(photographs(), np.ones((2, 3)))
    kept = {layer.name for layer in encoder.layers if layer.weights and same(layer, before[layer.name])}
    names = {layer.name for layer in encoder.layers if layer.weights}
    assert kept == names - {layer.name for layer in learning}
    assert len(kept) > 10


def test_models_of_all_phases_share_their_weights_shapes(classifier: keras.Model) -> None:
    frozen = build_classifier(3, 32, None, width=0.35, frozen_encoder=True)
    assert [w.shape for w in frozen.get_weights()] == [w.shape for w in classifier.get_weights()]


def test_the_encoder_normalises_by_the_fused_kernel(classifier: keras.Model) -> None:
    normalisations = [
        layer
        for layer in classifier.get_layer("encoder").layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert len(normalisations) == 52
    assert all(isinstance(layer, FusedBatchNormalization) for layer in normalisations)


def test_the_encoder_comes_from_a_file(tmp_path: Path) -> None:
    encoder = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None, name="encoder"
    )
    encoder.save_weights(tmp_path / "encoder.weights.h5")
    classifier = build_classifier(3, 64, tmp_path / "encoder.weights.h5", width=0.35)
    for mine, theirs in zip(
        classifier.get_layer("encoder").get_weights(), encoder.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_every_encoder_is_named_as_keras_has_it() -> None:
    assert all(
        each.network in LITE or callable(getattr(keras.applications, each.network))
        for each in ENCODERS.values()
    )


def test_an_image_is_scaled_in_the_model_as_its_encoder_learned_it() -> None:
    scale = build_classifier(2, 32, None, encoder="mobilenetv3small").get_layer("scale")
    np.testing.assert_allclose(scale(np.array([0.0, 255.0])), [-1, 1], atol=1e-6)
    values = keras.layers.Rescaling(*ENCODERS["efficientnetb0"].scaling)(np.full((1, 1, 1, 3), 255.0))
    known = keras.applications.imagenet_utils.preprocess_input(np.full((1, 1, 1, 3), 255.0), mode="torch")
    np.testing.assert_allclose(values, known, atol=1e-5)


def test_a_width_is_refused_where_there_is_only_one() -> None:
    with pytest.raises(RunError, match="efficientnetb0 has one width only"):
        build_classifier(2, 32, None, encoder="efficientnetb0", width=0.5)


def test_a_run_answers_with_another_part_of_the_shares(
    classification_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its training drew rare classes more often: by itself a run answers as it has learned."""
    prior = ClassPrior.from_metrics(classification_run.metrics)
    assert prior is not None
    assert prior.strength is None
    biases = {
        strength: load_classifier(classification_run, strength).get_layer("logits").get_weights()[1]
        for strength in (None, 0.0, 1.0)
    }
    assert biases[0.0] == pytest.approx(biases[None] - prior.learned, abs=1e-5)
    assert biases[1.0] == pytest.approx(biases[0.0] + prior.shares, abs=1e-5)
    monkeypatch.setattr(ClassPrior, "from_metrics", lambda _: None)
    with pytest.raises(RunError, match="does not know which shares of the classes it has learned"):
        load_classifier(classification_run, 0.5)
