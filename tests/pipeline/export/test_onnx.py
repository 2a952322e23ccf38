"""ONNX files say what the trained models say, of images of any size, and tell their user what they need to know."""

import contextlib
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline import LesionPipeline
from pipeline.bundle.loading import BundleError, load_bundle
from pipeline.cli.lesion import app
from pipeline.export.hub import hub_metadata, write_hub_folder
from pipeline.export.networks import Network, classification_network, segmentation_network
from pipeline.export.parity import ExportError
from segmentation.engine.run_folder import Run

onnx = pytest.importorskip("onnx")
onnx_files = pytest.importorskip("pipeline.export.onnx_files")
DOCUMENT = Path(__file__).parents[3] / "docs" / "onnx.md"


@pytest.fixture(scope="module")
def networks(segmentation_run: Run, classification_run: Run) -> tuple[Network, Network]:
    return segmentation_network(segmentation_run), classification_network(classification_run)


@pytest.fixture(scope="module")
def hub_folder(networks, trained_bundle: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "drawn"
    write_hub_folder(load_bundle(trained_bundle), *networks, folder)
    return folder


@pytest.fixture(scope="module")
def run(hub_folder: Path):
    """A function (stage, image) -> the answers of the stage's file by name."""
    sessions = {
        stage: onnx_files.onnx_session(str(hub_folder / "onnx" / f"{stage}.onnx"))
        for stage in ("segmentation", "classification")
    }

    def answers(stage: str, image: np.ndarray) -> dict[str, np.ndarray]:
        session = sessions[stage]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {"image": image}), strict=True))

    return answers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "onnx", "--precision", "int8"), "ONNX files are written in float32 and not in int8"),
        ((), "is a bundle already; give a run, or --format onnx or hub"),
        (("--format", "onnx", "--segmentation", "bundle"), "has its own U-Net; leave out --segmentation"),
    ],
)
def test_what_can_not_be_exported_is_refused(
    trained_bundle: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    words = ["export", "--classification", str(trained_bundle), "--output", str(tmp_path / "out"), *options]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert message in " ".join(refused.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [(300, 411), (96, 128), (33, 65), (33, 41)])
def test_an_image_of_any_size_gets_its_mask(
    run, trained_bundle: Path, drawn_catalog: pd.DataFrame, size: tuple[int, int]
) -> None:
    with Image.open(drawn_catalog["image_path"][0]) as drawn:
        image = np.asarray(drawn.convert("RGB").resize(size[::-1]))
    found = run("segmentation", image)
    expected = LesionPipeline.load(trained_bundle).lesion_probability(image)
    assert found["probability"].shape == found["mask"].shape == size
    differences = np.abs(found["probability"] - expected)
    assert differences.mean() < 2e-3 and differences.max() < 0.1  # a pixel may be rounded the other way
    assert (found["mask"] == (found["probability"] >= load_bundle(trained_bundle).threshold)).all()


def test_probabilities_are_the_calibrated_ones_of_the_bundle(
    run, trained_bundle: Path, drawn_catalog: pd.DataFrame
) -> None:
    pipeline = LesionPipeline.load(trained_bundle)
    for path in drawn_catalog["image_path"].head(4):
        image = np.asarray(Image.open(path))
        expected = pipeline.predict(image, view="full").probabilities
        assert run("classification", image)["probabilities"] == pytest.approx(
            list(expected.values()), abs=5e-3
        )


def test_a_file_that_differs_is_not_written(
    networks, hub_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmentation, classification = networks
    graphs = {
        stage: onnx.load(hub_folder / "onnx" / f"{stage}.onnx")
        for stage in ("segmentation", "classification")
    }
    for stage, graph in graphs.items():
        monkeypatch.setattr(onnx_files, f"{stage}_graph", lambda *_, graph=graph: graph)
    hotter = replace(classification, facts={**classification.facts, "temperature": "30.0"})
    with pytest.raises(ExportError, match="the classification model as ONNX in float32 differs from Keras"):
        onnx_files.write_onnx(segmentation, hotter, tmp_path, "")
    assert not list(tmp_path.iterdir())


def test_of_a_bundle_its_facts_and_its_file_are_taken(
    trained_bundle: Path, networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.export.rebuilding.rebuilt_model", lambda *_: "rebuilt")
    bundle = load_bundle(trained_bundle)
    segmentation, classification = segmentation_network(bundle), classification_network(bundle)
    assert (segmentation.model, classification.model) == ("rebuilt", "rebuilt")
    assert (segmentation.facts, classification.facts) == tuple(network.facts for network in networks)
    assert (segmentation.file, classification.file) == (bundle.segmentation_path, bundle.classification_path)
    assert classification.made_of.startswith("float32 weights in classification.tflite of the bundle drawn")


def test_the_documented_example_says_what_the_bundle_says(
    hub_folder: Path, drawn_catalog: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert example in (hub_folder / "README.md").read_text(encoding="utf-8")
    prediction = LesionPipeline.load(hub_folder).predict(drawn_catalog["image_path"][0])
    assert prediction.view == "crop"
    shutil.copytree(hub_folder / "onnx", tmp_path / "onnx")
    Image.open(drawn_catalog["image_path"][0]).save(tmp_path / "photo.jpg", quality=100)
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(example, DOCUMENT.name, "exec"), {})
    said = json.loads(printed.getvalue().replace("'", '"'))
    assert said == pytest.approx(prediction.probabilities, abs=0.05)


def test_the_hub_folder_is_a_bundle_too(hub_folder: Path, trained_bundle: Path) -> None:
    assert load_bundle(hub_folder).classification.sha256 == load_bundle(trained_bundle).classification.sha256
    assert (hub_folder / "splits.csv").exists()


def test_other_files_are_not_replaced(trained_bundle: Path, networks, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match="holds other files and no bundle"):
        write_hub_folder(load_bundle(trained_bundle), *networks, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_hub_reads_the_metadata(hub_folder: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard.load(hub_folder / "README.md")
    assert card.data.license == "cc-by-nc-4.0"
    assert card.data.pipeline_tag == "image-classification"
    assert {"onnx", "litert", "dermoscopy"} <= set(card.data.tags)
    assert card.data.eval_results is None


def test_recorded_figures_become_the_hubs_metrics(trained_bundle: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    facts = json.loads((trained_bundle / "bundle.json").read_text())
    scores = facts["figures"]["validation"]
    facts["figures"]["test"] = {"HAM10000": {"selection": "12 of 42", **scores}}
    metadata = hub_metadata(facts)
    card = hub.ModelCard(f"---\n{json.dumps(metadata)}\n---\n")
    results = {(result.task_type, result.metric_name): result for result in card.data.eval_results}
    accuracy = results["image-classification", "accuracy"]
    assert accuracy.metric_value == round(scores["classification"]["accuracy"]["value"], 4)
    assert (accuracy.dataset_type, accuracy.dataset_name) == ("HAM10000", "HAM10000: 12 of 42")
    assert results["image-segmentation", "Dice, mean over the images"].metric_value == round(
        scores["segmentation"]["dice"]["value"], 4
    )
    assert metadata["datasets"] == ["HAM10000"]
    assert "balanced_accuracy" in metadata["metrics"]
