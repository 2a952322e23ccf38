"""One small comparison from images to report, stopped in between; and one quick comparison."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from classification import training
from data.datasets.catalog import DatasetError
from pipeline.bundle.loading import Bundle, load_bundle
from pipeline.comparison.config import ComparisonConfig
from pipeline.comparison.report import write_comparison
from pipeline.comparison.results import Comparison
from pipeline.comparison.running import compare
from segmentation.engine.fitting import FitState
from segmentation.engine.run_folder import RunError


@pytest.fixture(scope="session")
def tiny(classification_config) -> ComparisonConfig:
    """Full and crop once each, of the smallest training; the lesions are found by a bundle."""
    smallest = replace(classification_config, input_side=32, head_epochs=0, epochs=1)
    return ComparisonConfig(
        arms=("crop", "both"), seeds=1, masks="bundle", resamples=100, classification=smallest
    )


@pytest.fixture(scope="session")
def bundle(make_bundle, drawn_catalog: pd.DataFrame, tmp_path_factory) -> Bundle:
    """It takes dark pixels for the lesion, and tells that it learnt from the last image."""
    folder = tmp_path_factory.mktemp("dark")
    known = pd.DataFrame({"image_id": drawn_catalog["image_id"].tail(1), "split": "train"})
    known.to_csv(folder / "splits.csv", index=False)
    return load_bundle(make_bundle(folder / "bundle", folder / "splits.csv"))


@pytest.fixture(scope="session")
def splits(drawn_catalog: pd.DataFrame) -> pd.DataFrame:
    """The first lesion of a class for training, the second for validation, the others for the test."""
    lesions = drawn_catalog.drop_duplicates("lesion_id")
    turn = dict(zip(lesions["lesion_id"], lesions.groupby("dx").cumcount(), strict=True))
    parts = np.array(["train", "validation", "test"])
    numbers = drawn_catalog["lesion_id"].map(turn).clip(upper=2)
    return pd.DataFrame({"image_id": drawn_catalog["image_id"], "split": parts[numbers]})


class Kill(BaseException):
    """What no code in between expects."""


@pytest.fixture(scope="session")
def resumed(drawn_catalog, tiny, bundle, splits, tmp_path_factory) -> tuple[Comparison, Path, list[str]]:
    """A comparison that was killed in its second training, and then called again; the trainings of both calls.

    The classifiers have one layer and keep its first weights, all else of a training is real.
    """
    folder = tmp_path_factory.mktemp("comparisons") / "tiny"
    fitted: list[str] = []

    def fit(run, phases, *, make_batches, **_) -> FitState:
        if len(fitted) == 1:
            fitted.append("killed")
            raise Kill
        fitted.append(run.folder.name)
        training_batches, _ = make_batches(phases[-1])
        image = keras.Input((*phases[-1].input_size, 3))
        scaled = keras.layers.Rescaling(1 / 255, name="scale")(image)
        features = keras.layers.AveragePooling2D(8, name="encoder")(scaled)
        pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
        logits = keras.layers.Dense(training_batches.classes, name="logits")(pooled)
        keras.Model(image, logits).save(run.model_path)
        return FitState()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "fit", fit)
        with pytest.raises(Kill):
            compare(drawn_catalog, tiny, folder, bundle, splits=splits)
        comparison = compare(drawn_catalog, tiny, folder, bundle, splits=splits)
    return comparison, folder, fitted


def test_a_killed_comparison_trains_only_what_is_missing(resumed) -> None:
    _, _, fitted = resumed
    assert fitted == ["full-seed0", "killed", "crop-seed0"]


def test_a_comparison_ends_in_a_verdict_and_a_report(resumed, tmp_path: Path) -> None:
    comparison, _, _ = resumed
    report = write_comparison(comparison, tmp_path)
    assert comparison.verdict.sentence in report.read_text(encoding="utf-8")
    written = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert list(written["arms"]) == ["full", "crop", "both"]
    assert len(written["conditions"]) == 7
    assert any("one seed" in note for note in written["notes"])
    assert any("trained or chosen on" in note for note in written["notes"])


def test_every_test_image_is_predicted_by_every_arm(resumed, splits: pd.DataFrame) -> None:
    comparison, _, _ = resumed
    clean = comparison.predictions.query("condition == 'test'")
    tested = set(splits.loc[splits["split"] == "test", "image_id"])
    assert all(set(part["image_id"]) == tested for _, part in clean.groupby(["arm", "seed"]))


def test_the_arms_were_trained_alike_but_for_the_view(resumed) -> None:
    _, folder, _ = resumed
    settings = [
        json.loads((folder / "arms" / f"{arm}-seed0" / "config.json").read_text(encoding="utf-8"))["settings"]
        for arm in ("full", "crop")
    ]
    differing = {name for name in settings[0] if settings[0][name] != settings[1][name]}
    assert differing == {"view"}
    assert settings[0]["jitter"] == 0


def test_nothing_is_trained_again_for_an_arm_that_was_there(
    resumed, drawn_catalog, tiny, bundle, splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison, folder, _ = resumed
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("trained again"))
    again = compare(drawn_catalog, replace(tiny, robustness=False), folder, bundle, splits=splits)
    assert again.to_dict()["contrasts"] == comparison.to_dict()["contrasts"]
    assert again.conditions == ()


def test_other_settings_need_another_folder(resumed, drawn_catalog, tiny, bundle, splits) -> None:
    _, folder, _ = resumed
    other = replace(tiny, smallest_difference=0.3)
    with pytest.raises(RunError, match="a comparison with another smallest_difference; give the settings"):
        compare(drawn_catalog, other, folder, bundle, splits=splits)
    with pytest.raises(RunError, match="on other images or another split"):
        compare(drawn_catalog.iloc[1:], tiny, folder, bundle, splits=splits)


def test_an_arm_around_the_datasets_masks_needs_masks(
    tmp_path: Path, drawn_catalog, tiny, bundle, splits
) -> None:
    wanted = replace(tiny, arms=("reference-crop",))
    with pytest.raises(DatasetError, match="has no masks, which reference-crop needs"):
        compare(drawn_catalog.assign(mask_path=None), wanted, tmp_path, bundle, splits=splits)


def test_a_split_without_test_images_is_refused(tmp_path: Path, drawn_catalog, tiny, bundle, splits) -> None:
    untested = splits.assign(split=splits["split"].replace("test", "train"))
    with pytest.raises(DatasetError, match="the test part of the split is empty"):
        compare(drawn_catalog, tiny, tmp_path, bundle, splits=untested)


def test_an_unknown_arm_is_refused(drawn_catalog, tiny, bundle, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no arm zoom; choose from full, crop"):
        compare(drawn_catalog, replace(tiny, arms=("zoom",)), tmp_path, bundle)


def test_a_quick_comparison_trains_nothing_and_says_so(
    tmp_path: Path, drawn_catalog, tiny, bundle, splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("trained"))
    config = replace(tiny, quick=True, seeds=2, robustness=False, arms=("crop", "masked", "random-crop"))
    unmasked = drawn_catalog.assign(mask_path=None)
    comparison = compare(unmasked, config, tmp_path, bundle, splits=splits)
    assert comparison.answer.startswith("Quick answer: ")
    assert "This is a quick answer" in comparison.notes[0]
    assert comparison.mask_jaccard is None
    assert [contrast.name for contrast in comparison.contrasts] == [
        "crop − full", "random-crop − full", "masked − full", "crop − random-crop",
    ]  # fmt: skip
    seeds = comparison.arms["full"].figures["accuracy"].seeds
    assert len(seeds) == 2
    more = compare(unmasked, replace(config, seeds=3), tmp_path, bundle, splits=splits)
    assert more.arms["full"].figures["accuracy"].seeds[:2] == seeds
