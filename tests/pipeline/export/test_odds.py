"""A class's odds can be raised in a bundle, whatever its precision, and taken back."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from classification.model import load_classifier, with_activation_map
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import Bundle, BundleError, load_bundle
from pipeline.export.conversion import convert
from pipeline.export.odds import odds_of, parse_odds, with_odds, with_raised_logits, worths
from segmentation.engine.run_folder import Run


@pytest.fixture(scope="module", params=["float32", "float16", "int8"])
def classifier(request: pytest.FixtureRequest, classification_run: Run) -> bytes:
    model = with_activation_map(load_classifier(classification_run))
    content: bytes = convert(model, classification_run.samples["calibration"], request.param)
    return content


def answers(content: bytes, image: np.ndarray, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    (folder / "model.tflite").write_bytes(content)
    logits, activation_map = LiteRTModel(folder / "model.tflite")(image)
    return logits, activation_map


def test_one_logit_and_its_activation_map_rise_and_no_other(
    classifier: bytes, classification_run: Run, tmp_path: Path
) -> None:
    image = classification_run.samples["validation"][0]
    before = answers(classifier, image, tmp_path)
    raises = np.zeros(len(before[0]))
    raises[1] = 0.6
    after = answers(with_raised_logits(classifier, raises), image, tmp_path)
    level = 0.02  # of int8 logits here
    assert after[0] - before[0] == pytest.approx(raises, abs=level)
    assert (after[1] - before[1]).mean(axis=(0, 1)) == pytest.approx(raises, abs=level)


def test_a_file_with_other_classes_is_refused(classifier: bytes) -> None:
    with pytest.raises(ValueError, match="does not end in 99 logits"):
        with_raised_logits(classifier, np.zeros(99))


@pytest.fixture
def bundle(trained_bundle: Path, tmp_path: Path) -> Bundle:
    return load_bundle(shutil.copytree(trained_bundle, tmp_path / "bundle"))


def test_a_second_factor_takes_the_place_of_the_first_and_one_takes_it_back(bundle: Bundle) -> None:
    name, content = bundle.classes[0], bundle.classification_path.read_bytes()
    image = np.full((*bundle.classification.input_shape,), 128, np.uint8)
    logits = LiteRTModel(bundle.classification_path)(image)[0]
    with_odds(with_odds(bundle, {name: 3.0}), {name: 1.5})
    raised = LiteRTModel(bundle.classification_path)(image)[0]
    assert odds_of(bundle) == {name: 1.5}
    assert raised[0] - logits[0] == pytest.approx(math.log(1.5), abs=1e-4)
    assert with_odds(load_bundle(bundle.folder), {name: 1.0}).classes == bundle.classes
    assert odds_of(bundle) == {}
    assert LiteRTModel(bundle.classification_path)(image)[0] == pytest.approx(logits, abs=1e-5)
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
