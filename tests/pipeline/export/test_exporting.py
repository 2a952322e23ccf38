"""A bundle says what the trained models say, or is not written at all."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from classification.model import with_activation_map
from data.splits import joined_splits, read_splits, write_splits
from pipeline import LesionPipeline
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import SecondLook, load_bundle
from pipeline.export import exporting
from pipeline.export.exporting import _command, export
from pipeline.export.networks import classification_network, segmentation_network
from pipeline.export.parity import TOLERANCES, ExportError, check_parity
from pipeline.export.segmentation_part import mixed_tests
from segmentation.cropping import lesion_mask
from segmentation.engine.run_folder import Run, RunError
from segmentation.metrics import jaccard


def model_of(run: Run) -> keras.Model:
    return keras.models.load_model(run.model_path, compile=False)


def largest_difference(expected: np.ndarray, found: list[np.ndarray]) -> float:
    return float(np.abs(expected - np.stack(found)).max())


def test_a_float32_bundle_answers_as_keras_does(
    trained_bundle: Path, segmentation_run: Run, classification_run: Run
) -> None:
    bundle = load_bundle(trained_bundle)
    images = segmentation_run.samples["validation"]
    expected = model_of(segmentation_run).predict_on_batch(images)
    assert expected.std() > 0.1
    converted = LiteRTModel(bundle.segmentation_path)
    assert largest_difference(expected, [converted(image)[0] for image in images]) < 1e-4

    images = classification_run.samples["validation"]
    logits, maps = with_activation_map(model_of(classification_run)).predict_on_batch(images)
    assert logits.std() > 0.1
    converted = LiteRTModel(bundle.classification_path)
    found = [converted(image) for image in images]
    assert largest_difference(logits, [each[0] for each in found]) < 1e-3
    assert largest_difference(maps, [each[1] for each in found]) < 1e-3


@pytest.fixture(scope="module", params=["float16", "int8"])
def small_bundle(request, segmentation_run: Run, classification_run: Run, tmp_path_factory):
    """The same two models in a lower precision."""
    folder = tmp_path_factory.mktemp("small") / request.param
    return export(segmentation_run, classification_run, folder, precision=request.param)


def test_a_lower_precision_is_smaller_and_within_its_tolerance(small_bundle, trained_bundle: Path) -> None:
    precision = small_bundle.segmentation.precision
    for stage in ("segmentation", "classification"):
        smaller = (small_bundle.folder / f"{stage}.tflite").stat().st_size
        assert smaller < 0.6 * (trained_bundle / f"{stage}.tflite").stat().st_size
        parity = small_bundle.figures["parity"][stage]
        assert 0 < parity["mean"] <= TOLERANCES[precision][0]
        assert parity["largest"] <= TOLERANCES[precision][1]


def test_a_lower_precision_finds_the_same_lesions(small_bundle, segmentation_run: Run) -> None:
    images = segmentation_run.samples["validation"]
    expected = model_of(segmentation_run).predict_on_batch(images)[..., 0]
    converted = LiteRTModel(small_bundle.segmentation_path)
    threshold = small_bundle.threshold
    overlaps = [
        jaccard(lesion_mask(converted(image)[0][..., 0], threshold), lesion_mask(probability, threshold))
        for image, probability in zip(images, expected, strict=True)
    ]
    assert np.mean(overlaps) > 0.9


def test_a_bundle_takes_a_drawn_image_the_whole_way(
    trained_bundle: Path, drawn_catalog: pd.DataFrame
) -> None:
    pipeline = LesionPipeline.load(trained_bundle)
    predictions = [prediction for _, prediction in pipeline.predict_many(drawn_catalog["image_path"].head(6))]
    for prediction in predictions:
        assert prediction.mask.shape == (96, 128)
        assert prediction.diagnosis in pipeline.bundle.classes
        assert sum(prediction.probabilities.values()) == pytest.approx(1)
        assert prediction.activation_map.shape == (2, 2, 7)
    assert [prediction.view for prediction in predictions].count("crop") >= 4


def test_the_bundle_carries_what_the_runs_decided(
    trained_bundle: Path, segmentation_run: Run, classification_run: Run
) -> None:
    bundle = load_bundle(trained_bundle)
    assert bundle.name == "drawn"
    assert bundle.threshold == segmentation_run.metrics["threshold"]
    assert bundle.temperature == classification_run.metrics["temperature"]
    assert bundle.abstention_threshold == classification_run.metrics["abstention_threshold"]
    assert list(bundle.classes) == classification_run.metrics["classes"]
    assert bundle.ood.to_dict() == classification_run.metrics["familiarity"]
    assert bundle.tta.temperature == classification_run.metrics["flips"]["temperature"]
    assert bundle.tta.abstention_threshold == classification_run.metrics["flips"]["abstention_threshold"]
    again = classification_run.metrics["second_look"]
    assert bundle.second_look == SecondLook(
        again["temperature"], again["abstention_threshold"], again["below_confidence"]
    )
    assert bundle.figures["validation"]["classification"] == again["validation"]
    assert (bundle.view, bundle.crop_margin) == ("crop", 0.25)
    assert bundle.training["segmentation"]["dataset"]["images"] == 42
    assert bundle.figures["validation"]["segmentation"] == segmentation_run.metrics["validation"]
    assert "no commercial use" in bundle.training["licence"]


def test_neither_facts_nor_card_tell_of_the_machine(trained_bundle: Path, segmentation_run: Run) -> None:
    for name in ("bundle.json", "MODEL_CARD.md", "splits.csv"):
        text = (trained_bundle / name).read_text()
        assert str(Path.home()) not in text
        assert str(segmentation_run.folder.parent) not in text
        assert "/tmp/" not in text


def test_the_card_names_the_command_that_makes_the_bundle(trained_bundle: Path) -> None:
    runs = "--segmentation segmentation --classification classification"
    command = f"lesion export {runs} --precision float32 --output drawn"
    assert f"\n{command}\n" in (trained_bundle / "MODEL_CARD.md").read_text()


def test_the_command_calls_the_bundle_that_ships_by_its_name(classification_run: Run) -> None:
    command = _command(load_bundle(), classification_run, "int8", None, "mine")
    assert (
        command
        == "lesion export --segmentation bundle --classification classification --precision int8 --output mine"
    )


def test_the_calibration_is_drawn_beside_the_card(trained_bundle: Path) -> None:
    picture = (trained_bundle / "calibration.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 60_000


@pytest.fixture
def converted_already(trained_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversions that cost no time, because the bundle has them."""

    def converted(model: keras.Model, *_) -> bytes:
        stage = "segmentation" if model.input_shape == (None, 32, 64, 3) else "classification"
        return (trained_bundle / f"{stage}.tflite").read_bytes()

    monkeypatch.setattr(exporting, "convert", converted)


@pytest.mark.usefixtures("converted_already")
def test_the_path_of_pretrained_weights_is_left_out(
    segmentation_run: Run, classification_run: Run, tmp_path: Path
) -> None:
    copy = Run(shutil.copytree(segmentation_run.folder, tmp_path / "run"))
    config = json.loads((copy.folder / "config.json").read_text())
    config["settings"]["encoder_weights"] = "/home/somebody/encoder.h5"
    (copy.folder / "config.json").write_text(json.dumps(config))
    bundle = export(copy, classification_run, tmp_path / "bundle")
    assert bundle.training["segmentation"]["settings"]["encoder_weights"] == "ImageNet or a file"
    assert "somebody" not in (tmp_path / "bundle" / "bundle.json").read_text()


def test_the_model_card_has_the_figures(trained_bundle: Path, segmentation_run: Run) -> None:
    card = (trained_bundle / "MODEL_CARD.md").read_text()
    jaccard_value = segmentation_run.metrics["validation"]["jaccard"]["value"]
    assert f"| Jaccard | {jaccard_value:.3f} (" in card
    assert "| nv | melanocytic naevus | benign | " in card
    assert "not a medical device" in card
    tables = [line for line in card.splitlines() if line.startswith("|")]
    assert len(tables) > 20
    assert all(line.endswith("|") for line in tables)


def table_of(splits: dict[str, str]) -> pd.DataFrame:
    return pd.Series(splits, name="split").rename_axis("image_id").reset_index()


def test_an_image_that_either_training_saw_counts_as_seen() -> None:
    segmentation = table_of({"a": "train", "b": "test", "c": "validation", "only": "test"})
    classification = table_of({"a": "test", "b": "train", "c": "test", "new": "validation"})
    joined = joined_splits(segmentation, classification)
    assert dict(joined.to_numpy()) == {
        "a": "train",
        "b": "train",
        "c": "validation",
        "new": "validation",
        "only": "test",
    }


def test_splits_that_were_made_separately_are_told() -> None:
    segmentation = table_of({"a": "train", "b": "test", "c": "train"})
    assert mixed_tests(segmentation, segmentation) is None
    warning = mixed_tests(segmentation, table_of({"a": "test", "b": "train", "c": "train", "new": "test"}))
    assert warning is not None
    assert "2 images that are a test of one" in warning
    assert "1 test images are left" in warning


@pytest.mark.usefixtures("converted_already")
def test_a_bundle_gives_its_u_net_to_another_one(
    trained_bundle: Path, classification_run: Run, tmp_path: Path
) -> None:
    warnings: list[str] = []
    bundle = export(load_bundle(trained_bundle), classification_run, tmp_path / "b", warn=warnings.append)
    assert bundle.segmentation_path.read_bytes() == (trained_bundle / "segmentation.tflite").read_bytes()
    assert bundle.threshold == load_bundle(trained_bundle).threshold
    assert "crops that another segmentation found" in warnings[0]
    assert "that of the bundle drawn, as it was" in (bundle.folder / "MODEL_CARD.md").read_text()


def test_the_bundle_lists_every_image_of_the_trainings(trained_bundle: Path, segmentation_run: Run) -> None:
    splits = pd.read_csv(trained_bundle / "splits.csv")[["image_id", "split"]]
    expected = segmentation_run.splits.sort_values("image_id", ignore_index=True)[["image_id", "split"]]
    pd.testing.assert_frame_equal(splits, expected, check_dtype=False)


@pytest.mark.usefixtures("converted_already")
@pytest.mark.parametrize(("stage", "outputs"), [("segmentation", 1), ("classification", 2)])
def test_a_conversion_that_says_something_else_is_not_exported(
    segmentation_run: Run,
    classification_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    outputs: int,
) -> None:
    class Spoiled(LiteRTModel):
        def __call__(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
            answers = super().__call__(image)
            return tuple(answer * 1.1 for answer in answers) if len(answers) == outputs else answers

    monkeypatch.setattr(exporting, "LiteRTModel", Spoiled)
    with pytest.raises(
        ExportError,
        match=f"the {stage} model in float32 differs from Keras by .*; report it as a bug",
    ):
        export(segmentation_run, classification_run, tmp_path / "bundle")
    assert not list(tmp_path.iterdir())


def test_a_run_without_samples_can_not_be_exported(
    segmentation_run: Run, classification_run: Run, tmp_path: Path
) -> None:
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    (run.folder / "model.keras").symlink_to(segmentation_run.model_path)
    with pytest.raises(RunError, match=r"no samples\.npz"):
        export(run, classification_run, tmp_path / "bundle")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_that_says_no_numbers_is_not_exported(value: float) -> None:
    with pytest.raises(ExportError, match="says what is no number for some of its samples"):
        check_parity("the classification model", "float32", np.array([0.0, value]))


def test_a_runs_networks_come_with_what_it_decided(segmentation_run: Run, classification_run: Run) -> None:
    segmentation = segmentation_network(segmentation_run)
    classification = classification_network(classification_run)
    assert float(segmentation.facts["threshold"]) == segmentation_run.metrics["threshold"]
    assert float(classification.facts["temperature"]) == classification_run.metrics["temperature"]
    assert json.loads(classification.facts["classes"]) == classification_run.metrics["classes"]
    assert (classification.facts["view"], classification.facts["crop_margin"]) == ("crop", "0.25")
    assert classification.model.input_shape[1:] == classification.samples.shape[1:]


def test_images_of_an_earlier_training_are_listed_and_counted(
    segmentation_run: Run, classification_run: Run, tmp_path: Path
) -> None:
    """A user's images that taught the start are no test images of the bundle."""
    run = Run(Path(shutil.copytree(classification_run.folder, tmp_path / "run")))
    earlier = table_of({"elsewhere-1": "train", "elsewhere-2": "validation", "elsewhere-3": "test"})
    write_splits(earlier, run.earlier_splits_path)
    bundle = export(segmentation_run, run, tmp_path / "bundle")
    assert bundle.splits_path is not None
    listed = read_splits(bundle.splits_path).set_index("image_id")["split"]
    assert listed[earlier["image_id"]].tolist() == ["train", "validation", "test"]
    assert "had 2 images beside these" in (bundle.folder / "MODEL_CARD.md").read_text()
