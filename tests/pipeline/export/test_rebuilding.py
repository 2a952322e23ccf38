"""What ships can learn on: a bundle's networks come back as Keras models that answer as it does."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from classification.model import load_classifier
from data.datasets.diagnoses import HAM10000_CLASSES
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import load_bundle
from pipeline.export.rebuilding import rebuilt_run
from segmentation.engine.run_folder import Run, RunError, open_run


@pytest.fixture(scope="module")
def rebuilt(trained_bundle: Path, classification_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    images = classification_run.samples["calibration"]
    folder = tmp_path_factory.mktemp("rebuilt") / "run"
    return rebuilt_run(load_bundle(trained_bundle), "classification", images, folder)


def test_a_rebuilt_classifier_answers_as_its_bundle(
    rebuilt: Run, trained_bundle: Path, classification_run: Run
) -> None:
    images = classification_run.samples["validation"]
    model = keras.models.load_model(open_run(rebuilt.folder, "classification").model_path, compile=False)
    bundled = LiteRTModel(trained_bundle / "classification.tflite")
    expected = np.stack([bundled(image)[0] for image in images])
    assert (
        np.abs(np.asarray(model(images.astype("float32"))) - expected).max() < 0.02 * np.abs(expected).max()
    )
    assert rebuilt.metrics["classes"] == list(load_bundle(trained_bundle).classes)


def test_a_rebuilt_classifier_can_teach(rebuilt: Run, trained_bundle: Path) -> None:
    assert rebuilt.metrics["input_side"] == 64
    assert rebuilt.metrics["temperature"] == load_bundle(trained_bundle).temperature


@pytest.mark.parametrize("strength", [0.5, None])
def test_what_the_export_gave_of_the_shares_is_taken_out(
    strength: float | None,
    make_bundle: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bundle with half of them, or as it has learned, and twice the odds of a class; a teacher has all of them."""
    classes = HAM10000_CLASSES
    shares, raises = np.log(np.arange(1, len(classes) + 1)), np.zeros(len(classes))
    raises[0] = np.log(2)
    learned = shares[::-1]
    prior = {
        "strength": strength,
        "log_shares": dict(zip(classes, shares.tolist(), strict=True)),
        "learned_log_shares": dict(zip(classes, learned.tolist(), strict=True)),
    }
    folder = make_bundle(tmp_path / "bundle", figures={"prior": prior}, odds={classes[0]: 2.0})
    features = keras.Input((3,))
    classifier = keras.Model(features, keras.layers.Dense(len(classes), name="logits")(features))
    before = np.asarray(classifier(np.ones((1, 3)))) - raises
    monkeypatch.setattr("pipeline.export.rebuilding.rebuilt_model", lambda *_: classifier)
    run = rebuilt_run(load_bundle(folder), "classification", np.zeros((1, 32, 32, 3)), tmp_path / "run")
    with_none_of_the_shares = before - (learned if strength is None else strength * shares)
    answers = load_classifier(run, 1.0)(np.ones((1, 3)))
    np.testing.assert_allclose(answers, with_none_of_the_shares + shares, atol=1e-5)
    np.testing.assert_allclose(
        load_classifier(run)(np.ones((1, 3))), before if strength is None else answers, atol=1e-5
    )


def test_its_batch_normalisation_has_the_statistics_of_the_images(
    rebuilt: Run, classification_run: Run
) -> None:
    images = classification_run.samples["calibration"].astype("float32")
    encoder = keras.models.load_model(rebuilt.model_path, compile=False).get_layer("encoder")
    first = keras.Model(encoder.inputs, encoder.get_layer("Conv1").output)(images / 127.5 - 1)
    mean = np.asarray(encoder.get_layer("bn_Conv1").moving_mean)
    assert np.allclose(np.asarray(first).mean(axis=(0, 1, 2)), mean, atol=1e-4)


def test_another_network_is_refused(
    trained_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.zeros((2, 64, 64, 3), np.uint8)
    monkeypatch.setattr("pipeline.export.rebuilding.build_classifier", lambda *_, **__: _other(64))
    with pytest.raises(RunError, match=r"classification\.tflite: holds another network"):
        rebuilt_run(load_bundle(trained_bundle), "classification", images, tmp_path / "run")


def _other(side: int) -> keras.Model:
    image = keras.Input((side, side, 3))
    return keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(keras.layers.Conv2D(2, 5)(image))))
