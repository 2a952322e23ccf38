"""`lesion train`, `lesion export` and `--record` from the command line: both stages, from mistakes to a bundle.

The networks are of a layer or two, so that a training takes a second; all else is what a user has.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from data.drawing.dataset import synthesize_dataset
from data.locking import alone_in
from pipeline.bundle.loading import DEFAULT_BUNDLE, load_bundle
from pipeline.cli import lesion as cli
from segmentation.model import build_unet

UNET = ("--input-size", 32, 32, "--small-size", 32, 32, "--small-epochs", 0, "--full-epochs", 1)
CLASSIFIER = (
    *("--input-side", 32, "--small-side", 32, "--width", 0.35, "--head-epochs", 0, "--small-epochs", 0),
    *("--full-epochs", 1, "--boxes", "reference"),
)
RANDOM = ("--encoder-weights", "none", "--augmentation", "none")


def lesion(*arguments):
    """The command in this process; the result has exit_code, stdout and stderr."""
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def small_unet(input_size, encoder_weights, *_):
    if encoder_weights is not None:
        return build_unet(input_size, encoder_weights)
    image = keras.Input((*input_size, 3))
    scaled = keras.layers.Rescaling(1 / 255, name="scale")(image)
    return keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(scaled))


def small_classifier(classes, input_side, *_, **__):
    image = keras.Input((input_side, input_side, 3))
    scaled = keras.layers.Rescaling(1 / 255, name="scale")(image)
    features = keras.layers.AveragePooling2D(8, name="encoder")(scaled)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    return keras.Model(image, keras.layers.Dense(classes, name="logits")(pooled))


@pytest.fixture(scope="module", autouse=True)
def small_networks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segmentation.training.build_unet", small_unet)
        patch.setattr("classification.training.build_classifier", small_classifier)
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "dataset"
    synthesize_dataset(folder, count=24, seed=2, size=(64, 80))
    return folder


@pytest.fixture(scope="module")
def segmentation(dataset: Path, tmp_path_factory) -> Path:
    """A run in a folder in which four commands have failed before."""
    folder = tmp_path_factory.mktemp("runs") / "segmentation"
    command = ("train", "segmentation", dataset, "--output", folder)
    (folder.parent / "weights.h5").write_text("no weights")
    for mistake, message in (
        ((*UNET, "--full-epochs", 0, *RANDOM), "give one epoch or more"),
        ((*UNET, "--small-epochs", 1, "--small-size", 50, 64, *RANDOM), "can't be 50 x 64"),
        ((*UNET, "--input-size", 33, 64, *RANDOM), "can't be 33 x 64"),
        ((*UNET, "--encoder", "vgg", *RANDOM), "no encoder is called vgg; give one of mobilenetv2, "),
        ((*UNET, "--devices", 99, *RANDOM), "there are no 99 devices here, only "),
        (
            (*UNET, "--encoder-weights", folder.parent / "weights.h5"),
            "can't be read as weights of mobilenetv2",
        ),
    ):
        refused = lesion(*command, *mistake)
        assert refused.exit_code == 2, refused.output
        assert message in refused.stderr
        assert refused.stderr.strip().splitlines()[-1].startswith("lesion: ")
    trained = lesion(*command, *UNET, *RANDOM)
    assert trained.exit_code == 0, trained.output
    return folder


@pytest.fixture(scope="module")
def classification(dataset: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "classification"
    trained = lesion("train", "classification", dataset, "--output", folder, *CLASSIFIER, *RANDOM)
    assert trained.exit_code == 0, trained.output
    return folder


@pytest.fixture(scope="module")
def bundle(segmentation: Path, classification: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "bundle"
    exported = lesion(
        "export", "--segmentation", segmentation, "--classification", classification, "--output", folder
    )
    assert exported.exit_code == 0, exported.output
    return folder


def test_a_training_says_what_came_out(segmentation: Path, dataset: Path) -> None:
    again = lesion("train", "segmentation", dataset, "--output", segmentation, *UNET, *RANDOM, "--resume")
    assert again.exit_code == 0
    assert f"{segmentation}: validation Jaccard" in again.stdout.replace("\n", " ")


@pytest.mark.parametrize("stage", ["segmentation", "classification"])
def test_a_run_among_the_images_is_refused(stage: str, dataset: Path) -> None:
    refused = lesion("train", stage, dataset, "--output", dataset / "run")
    assert refused.exit_code == 2
    assert "where the run's pictures would count as images" in " ".join(refused.stderr.split())
    assert not (dataset / "run").exists()


def test_going_on_with_nothing_is_said(dataset: Path, tmp_path: Path) -> None:
    command = ("train", "segmentation", dataset, "--output", tmp_path / "new", *UNET, *RANDOM)
    refused = lesion(*command, "--resume", "--devices", 99)
    assert (
        "holds no finished epoch to go on with; the training begins with its first"
        in refused.stderr.replace("\n", " ")
    )


def test_a_run_is_not_overwritten(segmentation: Path, dataset: Path) -> None:
    again = lesion("train", "segmentation", dataset, "--output", segmentation, *UNET, *RANDOM)
    assert (again.exit_code, "add --resume to go on with it" in again.stderr) == (2, True)


def test_two_processes_do_not_train_into_one_folder(dataset: Path, tmp_path: Path) -> None:
    with alone_in(tmp_path):
        second = lesion("train", "segmentation", dataset, "--output", tmp_path, *UNET, *RANDOM)
    assert second.exit_code == 2
    assert "another process works in this folder" in second.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_exported_bundle_predicts(bundle: Path, dataset: Path) -> None:
    predicted = lesion("predict", dataset / "images", "--bundle", bundle, "--json")
    assert predicted.exit_code == 0, predicted.output
    images = json.loads(predicted.stdout)["images"]
    assert len(images) == 24
    assert all(np.isclose(sum(image["probabilities"].values()), 1) for image in images)


def test_a_run_that_was_killed_is_to_be_resumed_before_it_is_exported(
    segmentation: Path, classification: Path, tmp_path: Path
) -> None:
    killed = shutil.copytree(classification, tmp_path / "killed")
    (killed / "metrics.json").unlink()
    refused = lesion(
        *(
            "export",
            "--segmentation",
            segmentation,
            "--classification",
            killed,
            "--output",
            tmp_path / "bundle",
        )
    )
    assert refused.exit_code == 2
    assert "its training has not ended; go on with it with --resume first" in refused.stderr
    assert not (tmp_path / "bundle").exists()


def test_recording_keeps_the_figures_and_the_users_files(bundle: Path, dataset: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "report").mkdir()
    (copy / "report" / "notes.txt").write_text("mine")
    recorded = lesion("evaluate", dataset, "--bundle", copy, "--record", "--resamples", 10)
    assert recorded.exit_code == 0, recorded.output
    assert "dataset" in load_bundle(copy).figures["test"]
    assert (copy / "report" / "notes.txt").read_text() == "mine"


def test_recording_does_not_rewrite_the_bundle_that_ships(dataset: Path) -> None:
    before = (DEFAULT_BUNDLE / "bundle.json").read_bytes()
    refused = lesion("evaluate", dataset, "--record")
    assert refused.exit_code == 2
    assert "would rewrite the bundle that ships with the software" in " ".join(refused.stderr.split())
    assert (DEFAULT_BUNDLE / "bundle.json").read_bytes() == before
