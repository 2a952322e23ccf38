"""A bundle is calibrated on the validation images of its datasets, through its own models."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.datasets.catalog import DatasetError
from data.splits import read_splits
from pipeline import LesionPipeline
from pipeline.bundle.loading import Bundle, load_bundle
from pipeline.evaluation.evaluation import evaluate
from pipeline.evaluation.selection import select_split
from pipeline.export.calibrating import calibrate, sources_of
from pipeline.export.mask_threshold import THRESHOLDS
from pipeline.export.recording import record_test_figures


@pytest.fixture(scope="module")
def drawn_folder(drawn_catalog: pd.DataFrame) -> Path:
    return Path(drawn_catalog["image_path"].iloc[0]).parents[1]


@pytest.fixture(scope="module")
def calibrated(trained_bundle: Path, drawn_folder: Path, tmp_path_factory) -> Bundle:
    copy = shutil.copytree(trained_bundle, tmp_path_factory.mktemp("calibrated") / "bundle")
    bundle = load_bundle(copy)
    return calibrate(bundle, sources_of([drawn_folder], bundle, most=40))


def test_the_bundle_knows_how_usual_images_look(calibrated, drawn_folder: Path) -> None:
    pipeline = LesionPipeline.load(calibrated)
    usual = [pipeline.predict(path) for path in sorted((drawn_folder / "images").glob("*.jpg"))]
    green = pipeline.predict(np.full((96, 128, 3), (0, 200, 0), np.uint8))
    assert (
        np.mean([prediction.headline is None for prediction in usual]) > 0.7
    )  # of three validation images one is the least usual
    assert green.headline == "no reliable answer"
    assert green.ood_score < calibrated.appearance.threshold
    assert calibrated.appearance.threshold < np.median([prediction.ood_score for prediction in usual])


def test_what_was_looked_at_is_recorded(calibrated: Bundle) -> None:
    (figures,) = calibrated.figures["calibration"]
    assert figures["source"] == "dataset"
    assert (calibrated.splits_path is not None) and figures["validation_images"] >= 3
    assert {"calibration_error", "unlike_training", "training_images"} <= figures.keys()


def test_temperatures_fit_the_bundles_own_answers(calibrated: Bundle, trained_bundle: Path) -> None:
    before = load_bundle(trained_bundle)
    assert calibrated.temperature == pytest.approx(
        before.temperature, rel=0.2
    )  # float32 answers as Keras does
    assert calibrated.tta is not None


def test_a_second_look_is_for_as_many_images_as_asked(
    calibrated: Bundle, drawn_folder: Path, tmp_path
) -> None:
    (figures,) = calibrated.figures["calibration"]
    assert 0 < figures["second_looks"] <= 0.5
    copy = load_bundle(shutil.copytree(calibrated.folder, tmp_path / "bundle"))
    sources = sources_of([drawn_folder], copy, most=40)
    never, always = (calibrate(copy, sources, again=part) for part in (0.0, 1.0))
    assert never.second_look is None
    assert "second_looks" not in never.figures["calibration"][0]
    assert always.figures["calibration"][0]["second_looks"] >= 0.5
    assert always.second_look.below_confidence > calibrated.second_look.below_confidence


def test_test_figures_of_the_former_decision_are_left_out(
    calibrated: Bundle, drawn_catalog: pd.DataFrame, drawn_folder: Path, tmp_path
) -> None:
    copy = load_bundle(shutil.copytree(calibrated.folder, tmp_path / "bundle"))
    selection = select_split(drawn_catalog, copy, "test")
    evaluation = evaluate(LesionPipeline.load(copy), selection.catalog, resamples=10)
    recorded = record_test_figures(copy, evaluation, selection, "drawn")
    assert list(recorded.figures["test"]) == ["drawn"]
    again = calibrate(recorded, sources_of([drawn_folder], recorded, most=40))
    assert "test" not in again.figures
    assert "validation" in again.figures


def test_a_dataset_without_validation_images_can_t_calibrate(
    calibrated, tmp_path: Path, drawn_folder
) -> None:
    folder = tmp_path / "train-only"
    (folder / "nv").mkdir(parents=True)
    splits = read_splits(calibrated.splits_path)
    for name in splits.loc[splits["split"] == "train", "image_id"].head(2):
        shutil.copy(drawn_folder / "images" / f"{name}.jpg", folder / "nv")
    with pytest.raises(DatasetError, match="validation split to calibrate on"):
        sources_of([folder], calibrated, most=10)


def test_the_masks_threshold_has_the_best_jaccard_over_the_sources(calibrated: Bundle) -> None:
    worths = calibrated.figures["mask_thresholds"]
    assert [worth["threshold"] for worth in worths] == list(THRESHOLDS)
    assert calibrated.threshold == max(worths, key=lambda worth: worth["jaccard"])["threshold"]
    ratios = [worth["area_ratio"] for worth in worths]
    assert ratios == sorted(ratios, reverse=True)  # a higher threshold draws narrower
