from pathlib import Path

import keras
import numpy as np
import pytest

from classification.efficientnet_lite import efficientnet_lite0, efficientnet_lite2
from classification.model import build_classifier
from segmentation.engine.run_folder import RunError


@pytest.fixture(scope="module")
def lite0() -> keras.Model:
    keras.utils.set_random_seed(0)
    return efficientnet_lite0(input_shape=(64, 64, 3))


def test_the_networks_are_as_large_as_published(lite0: keras.Model) -> None:
    """With the top of 1,000 classes 4.7 and 6.1 million, of which 42,000 and 58,000 are no parameters but averages."""
    top = 1281 * 1000
    assert lite0.count_params() + top == pytest.approx(4.7e6, rel=0.01)
    assert efficientnet_lite2(input_shape=(64, 64, 3)).count_params() + top == pytest.approx(6.1e6, rel=0.02)


def test_features_are_those_of_every_32nd_pixel(lite0: keras.Model) -> None:
    assert lite0.output_shape == (None, 2, 2, 1280)
    features = np.asarray(lite0(np.zeros((1, 64, 64, 3), np.float32)))
    assert features.min() >= 0
    assert features.max() <= 6


def test_blocks_are_skipped_in_training_alone(lite0: keras.Model) -> None:
    dropped = [layer.rate for layer in lite0.layers if isinstance(layer, keras.layers.Dropout)]
    assert dropped == sorted(dropped)
    assert 0 < dropped[0] < dropped[-1] < 0.2
    image = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(lite0(image)), np.asarray(lite0(image)))


def test_weights_come_from_a_file(lite0: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "lite0.weights.h5"
    lite0.save_weights(path)
    classifier = build_classifier(2, 32, path, encoder="efficientnetlite0")
    for mine, theirs in zip(classifier.get_layer("encoder").get_weights(), lite0.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    values = classifier.get_layer("scale")(np.array([127.0, 255.0]))
    np.testing.assert_allclose(values, [0, 1], atol=1e-6)


def test_imagenet_weights_must_come_from_a_file() -> None:
    with pytest.raises(RunError, match=r"Keras has neither .* EfficientNet-Lite.* --encoder-weights FILE"):
        build_classifier(2, 32, "imagenet", encoder="efficientnetlite0")


@pytest.mark.parametrize("options", [{"include_top": True}, {"weights": "imagenet"}])
def test_what_is_not_there_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="neither a top nor"):
        efficientnet_lite0(input_shape=(32, 32, 3), **options)
