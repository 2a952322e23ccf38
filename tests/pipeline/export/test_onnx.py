"""ONNX files say what the trained models say, of images of any size, and tell their user what they need to know."""

import contextlib
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from data.datasets.diagnoses import HAM10000_CLASSES
from pipeline.bundle.loading import BundleError, load_bundle
from pipeline.cli.lesion import app
from pipeline.export.networks import Network, classification_network, segmentation_network
from pipeline.export.parity import ExportError

onnx = pytest.importorskip("onnx")
onnx_files = pytest.importorskip("pipeline.export.onnx_files")
hub = pytest.importorskip("pipeline.export.hub")
DOCUMENT = Path(__file__).parents[3] / "docs" / "onnx.md"
FACTS = {
    "classes": json.dumps(list(HAM10000_CLASSES)),
    "temperature": "1.0",
    "abstention_threshold": "0.5",
    "view": "crop",
    "crop_margin": "0.25",
}
STAGES = ("segmentation", "classification")


@pytest.fixture(scope="module")
def networks(rule_models, draw_disc) -> tuple[Network, Network]:
    """The networks of `bundle_folder`."""
    darkness, colour = rule_models
    small = [draw_disc(centre=(30, 24), radius=radius, size=(48, 64)) for radius in (10, 15, 20)]
    crops = [draw_disc(centre=(16, 16), radius=radius, size=(32, 32)) for radius in (10, 15)]
    return (
        Network(darkness, np.stack(small), {"threshold": "0.5"}, "rules"),
        Network(colour, np.stack(crops), FACTS, "rules"),
    )


@pytest.fixture(scope="module")
def hub_folder(networks, bundle_folder: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "rules"
    hub.write_hub_folder(load_bundle(bundle_folder), *networks, folder)
    return folder


@pytest.fixture(scope="module")
def run(hub_folder: Path):
    """A function (stage, image) -> the answers of the stage's file by name."""
    sessions = {
        stage: onnx_files.onnx_session(str(hub_folder / "onnx" / f"{stage}.onnx")) for stage in STAGES
    }

    def answers(stage: str, image: np.ndarray) -> dict[str, np.ndarray]:
        session = sessions[stage]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {"image": image}), strict=True))

    return answers


@pytest.mark.parametrize("size", [(300, 411), (96, 128), (49, 65), (33, 41), (48, 64)])
def test_an_image_of_any_size_gets_its_mask(run, pipeline, draw_disc, size: tuple[int, int]) -> None:
    disc = Image.fromarray(draw_disc()).resize(size[::-1])
    image = np.clip(np.asarray(disc) + np.random.default_rng(0).normal(0, 9, (*size, 3)), 0, 255)
    found = run("segmentation", image.astype(np.uint8))
    expected = pipeline.lesion_probability(image.astype(np.uint8))
    assert found["probability"].shape == found["mask"].shape == size
    assert np.abs(found["probability"] - expected).max() < 0.03  # a pixel may be rounded the other way
    assert np.abs(found["probability"] - expected).mean() < 2e-3
    assert 0 < found["mask"].sum() < found["mask"].size
    assert (found["mask"] == (found["probability"] >= 0.5)).all()


@pytest.mark.parametrize("size", [(300, 400), (40, 33)])
def test_probabilities_are_those_of_the_bundle(run, pipeline, draw_disc, size: tuple[int, int]) -> None:
    image = np.asarray(Image.fromarray(draw_disc((120, 90, 100))).resize(size[::-1]))
    expected = pipeline.predict(image, view="full").probabilities
    found = run("classification", image)["probabilities"]
    assert found == pytest.approx(list(expected.values()), abs=0.01)
    assert found.sum() == pytest.approx(1)


def test_a_file_that_differs_is_not_written(
    networks, hub_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmentation, classification = networks
    for stage in STAGES:
        graph = onnx.load(hub_folder / "onnx" / f"{stage}.onnx")
        monkeypatch.setattr(onnx_files, f"{stage}_graph", lambda *_, graph=graph: graph)
    hotter = replace(classification, facts=FACTS | {"temperature": "30.0"})
    with pytest.raises(ExportError, match="the classification model as ONNX in float32 differs from Keras"):
        onnx_files.write_onnx(segmentation, hotter, tmp_path, "")
    assert not list(tmp_path.iterdir())


def test_of_a_bundle_its_facts_and_its_file_are_taken(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.export.rebuilding.rebuilt_model", lambda *_: "rebuilt")
    bundle = load_bundle(bundle_folder)
    segmentation, classification = segmentation_network(bundle), classification_network(bundle)
    assert (segmentation.model, classification.model) == ("rebuilt", "rebuilt")
    assert (segmentation.facts, classification.facts) == ({"threshold": "0.5"}, FACTS)
    assert (segmentation.file, classification.file) == (bundle.segmentation_path, bundle.classification_path)
    assert classification.made_of.startswith("float32 weights in classification.tflite of the bundle rules")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "onnx", "--precision", "int8"), "ONNX files are written in float32 and not in int8"),
        ((), "is a bundle already; give a run, or --format onnx or hub"),
        (("--format", "onnx", "--segmentation", "bundle"), "has its own U-Net; leave out --segmentation"),
    ],
)
def test_what_can_not_be_exported_is_refused(
    bundle_folder: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    words = ["export", "--classification", str(bundle_folder), "--output", str(tmp_path / "out"), *options]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert message in " ".join(refused.stderr.split())
    assert not (tmp_path / "out").exists()


def test_the_documented_example_says_what_the_bundle_says(
    hub_folder: Path, pipeline, draw_disc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert example in (hub_folder / "README.md").read_text(encoding="utf-8")
    image = draw_disc((90, 70, 80), centre=(340, 100), radius=70)  # the square is pushed by the image's edge
    Image.fromarray(image).save(tmp_path / "photo.png")
    shutil.copytree(hub_folder / "onnx", tmp_path / "onnx")
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(example.replace("photo.jpg", "photo.png"), DOCUMENT.name, "exec"), {})
    said = json.loads(printed.getvalue().replace("'", '"'))
    prediction = pipeline.predict(image)
    assert prediction.view == "crop"
    assert said == pytest.approx(prediction.probabilities, abs=0.02)


def test_the_files_tell_what_they_are(hub_folder: Path) -> None:
    graph = onnx.load(hub_folder / "onnx" / "classification.onnx")
    told = {entry.key: entry.value for entry in graph.metadata_props}
    assert told == {**FACTS, "made_of": "rules", "licence": "none"}


def test_the_hub_folder_is_a_bundle_too(hub_folder: Path, bundle_folder: Path) -> None:
    assert load_bundle(hub_folder).classification == load_bundle(bundle_folder).classification


def test_other_files_are_not_replaced(bundle_folder: Path, networks, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match="holds other files and no bundle"):
        hub.write_hub_folder(load_bundle(bundle_folder), *networks, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_hub_reads_the_metadata(hub_folder: Path) -> None:
    card = pytest.importorskip("huggingface_hub").ModelCard.load(hub_folder / "README.md")
    assert (card.data.license, card.data.pipeline_tag) == ("other", "image-classification")
    assert {"onnx", "litert", "dermoscopy", "mobilenetv2"} <= set(card.data.tags)
    assert card.data.eval_results is None


def test_recorded_figures_become_the_hubs_metrics() -> None:
    scores = {"accuracy": {"value": 0.83591}, "macro_f1": {"value": 0.7}, "macro_auc": {"value": None}}
    test = {"selection": "12 of 42", "classification": scores, "segmentation": {"dice": {"value": 0.9}}}
    facts = {
        "name": "drawn",
        "training": {"licence": "CC BY-NC 4.0: research and teaching"},
        "figures": {"test": {"HAM10000": test}},
    }
    metadata = hub.hub_metadata(facts)
    assert (metadata["license"], metadata["datasets"]) == ("cc-by-nc-4.0", ["HAM10000"])
    assert metadata["metrics"] == ["accuracy", "dice", "f1"]
    card = pytest.importorskip("huggingface_hub").ModelCard(f"---\n{json.dumps(metadata)}\n---\n")
    results = {(result.task_type, result.metric_type): result for result in card.data.eval_results}
    accuracy = results["image-classification", "accuracy"]
    assert (accuracy.metric_value, accuracy.dataset_name) == (0.8359, "HAM10000: 12 of 42")
    assert results["image-segmentation", "dice"].metric_value == 0.9
