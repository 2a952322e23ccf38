"""A class's odds can be raised in a bundle, whatever its precision, and taken back."""

import math
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import Bundle, BundleError, load_bundle
from pipeline.export.conversion import convert_plainly
from pipeline.export.odds import odds_of, parse_odds, with_odds, with_raised_logits, worths


def small_classifier() -> keras.Model:
    """Logits of three classes, and their activation map."""
    keras.utils.set_random_seed(3)
    image = keras.Input((32, 32, 3))
    features = keras.layers.Conv2D(8, 3, strides=4, activation="relu6")(image / 127.5 - 1)
    logits = keras.layers.Dense(3)
    pooled = logits(keras.layers.GlobalAveragePooling2D()(features))
    activation_map = keras.layers.Conv2D(3, 1, name="activation_map")
    model = keras.Model(image, [pooled, activation_map(features)])
    kernel, bias = logits.get_weights()[0], np.array([0.1, -0.2, 0.3])
    logits.set_weights([kernel, bias])
    activation_map.set_weights([kernel[None, None], bias])
    return model


@pytest.fixture(scope="module", params=["float32", "float16", "int8"])
def classifier(request: pytest.FixtureRequest) -> bytes:
    """A small one in floating point, and that of the bundle that ships in int8."""
    if request.param == "int8":
        return load_bundle().classification_path.read_bytes()
    content: bytes = convert_plainly(small_classifier(), np.empty(0), request.param)
    return content


def answers(content: bytes, image: np.ndarray, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    (folder / "model.tflite").write_bytes(content)
    logits, activation_map = LiteRTModel(folder / "model.tflite")(image)
    return logits, activation_map


def test_one_logit_and_its_activation_map_rise_and_no_other(classifier: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(classifier)
    shape = LiteRTModel(tmp_path / "model.tflite").input_shape
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    before = answers(classifier, image, tmp_path)
    raises = np.zeros(len(before[0]))
    raises[1] = 0.6
    after = answers(with_raised_logits(classifier, raises), image, tmp_path)
    level = 0.1  # above one of int8 logits
    assert after[0] - before[0] == pytest.approx(raises, abs=level)
    assert (after[1] - before[1]).mean(axis=(0, 1)) == pytest.approx(raises, abs=level)


def test_a_file_with_other_classes_is_refused(classifier: bytes) -> None:
    with pytest.raises(ValueError, match="does not end in 99 logits"):
        with_raised_logits(classifier, np.zeros(99))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A copy of the bundle that ships, without its factors."""
    return with_odds(load_bundle(shutil.copytree(load_bundle().folder, tmp_path / "bundle")), {})


def test_a_second_factor_takes_the_place_of_the_first_and_one_takes_it_back(bundle: Bundle) -> None:
    name, content = bundle.classes[0], bundle.classification_path.read_bytes()
    image = np.full((*bundle.classification.input_shape,), 128, np.uint8)
    logits = LiteRTModel(bundle.classification_path)(image)[0]
    with_odds(with_odds(bundle, {name: 3.0}), {name: 1.5})
    raised = LiteRTModel(bundle.classification_path)(image)[0]
    assert odds_of(bundle) == {name: 1.5}
    assert raised[0] - logits[0] == pytest.approx(math.log(1.5), abs=0.1)
    assert with_odds(load_bundle(bundle.folder), {name: 1.0}).classes == bundle.classes
    assert odds_of(bundle) == {}
    assert LiteRTModel(bundle.classification_path)(image)[0] == pytest.approx(logits, abs=0.1)
    assert len(bundle.classification_path.read_bytes()) == pytest.approx(len(content), rel=0.05)


def test_a_class_that_the_bundle_does_not_know_is_named(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="has no class unicorn; its classes are"):
        with_odds(bundle, {"unicorn": 2.0})


@pytest.mark.parametrize("word", ["mel", "mel=", "=2", "mel=0", "mel=-1", "mel=nan", "mel=inf", "mel=21"])
def test_factors_are_over_zero_and_at_most_twenty(word: str) -> None:
    with pytest.raises(ValueError, match="write CLASS=FACTOR"):
        parse_odds(["bkl=0.5", word])


def test_the_worth_of_factors_stands_beside_none(bundle: Bundle) -> None:
    assert worths(np.zeros((1, len(bundle.classes))), np.zeros(1, int), bundle) == []
    name, classes = bundle.classes[0], len(bundle.classes)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 200)
    logits = rng.normal(size=(200, classes)) + 1.5 * np.eye(classes)[labels]
    logits[:, 0] += math.log(4)
    without, here = worths(logits, labels, with_odds(bundle, {name: 4.0}))
    assert (without["odds"], here["odds"]) == ({}, {name: 4.0})
    assert here["recall"][name] > without["recall"][name]
    assert here["log_likelihood"] < without["log_likelihood"]
