"""Figures of images that the bundle has not seen go into the bundle; others do not."""

import json
import shutil

import pytest

from pipeline.bundle.loading import BundleError, load_bundle
from pipeline.evaluation.evaluation import evaluate
from pipeline.evaluation.selection import select_split
from pipeline.export.recording import record_test_figures
from pipeline.prediction.predictor import LesionPipeline


@pytest.fixture
def bundle(trained_bundle, tmp_path):
    return load_bundle(shutil.copytree(trained_bundle, tmp_path / "bundle"))


def evaluated(bundle, catalog, split):
    selection = select_split(catalog, bundle, split)
    return evaluate(LesionPipeline.load(bundle), selection.catalog, resamples=10), selection


def test_figures_on_unseen_images_are_kept_in_the_bundle_and_its_card(bundle, drawn_catalog):
    evaluation, selection = evaluated(bundle, drawn_catalog, "test")
    recorded = record_test_figures(bundle, evaluation, selection, "drawn lesions")
    kept = json.loads(json.dumps(recorded.figures["test"]["drawn lesions"]))
    assert (
        kept["classification"]["balanced_accuracy"] == evaluation.classification.balanced_accuracy.to_dict()
    )
    assert kept["segmentation"]["jaccard"] == evaluation.segmentation.jaccard.to_dict()
    card = (bundle.folder / "MODEL_CARD.md").read_text()
    assert "### drawn lesions: images that no model has seen" in card
    assert f"{evaluation.segmentation.jaccard.value:.3f}" in card


def test_the_models_and_the_date_stay_as_they_were(bundle, drawn_catalog):
    recorded = record_test_figures(bundle, *evaluated(bundle, drawn_catalog, "test"), "drawn lesions")
    assert recorded.created == bundle.created
    assert (recorded.segmentation, recorded.classification) == (bundle.segmentation, bundle.classification)
    assert recorded.splits == bundle.splits


def test_another_dataset_is_added_and_the_same_one_replaced(bundle, drawn_catalog):
    evaluation, selection = evaluated(bundle, drawn_catalog, "test")
    for name in ("one", "two", "one"):
        bundle = record_test_figures(bundle, evaluation, selection, name)
    assert sorted(bundle.figures["test"]) == ["one", "two"]


def test_figures_with_flips_are_kept_beside_the_others(bundle, drawn_catalog):
    selection = select_split(drawn_catalog, bundle, "test")
    for flips in (None, False, True):
        pipeline = LesionPipeline.load(bundle, tta=flips)
        evaluation = evaluate(
            pipeline, selection.catalog, resamples=10, command=["lesion", "x", "/home/me/y"]
        )
        bundle = record_test_figures(bundle, evaluation, selection, "drawn")
    assert [list(bundle.figures[tests]) for tests in ("test", "test_with_flips", "test_of_one_look")] == 3 * [
        ["drawn"]
    ]
    card = (bundle.folder / "MODEL_CARD.md").read_text()
    assert "| | drawn | drawn, flips | drawn, one look | validation | validation, flips |" in card
    assert card.count("lesion x y\n") == 3
    assert "only where the first look is less than" in card
    assert bundle.figures["test"]["drawn"]["abstention"]["images"] == evaluation.classification.count


def test_figures_on_images_that_the_bundle_learned_from_are_refused(bundle, drawn_catalog):
    evaluation, selection = evaluated(bundle, drawn_catalog, "validation")
    with pytest.raises(BundleError, match="trained or chosen on"):
        record_test_figures(bundle, evaluation, selection, "drawn lesions")
    assert "test" not in load_bundle(bundle.folder).figures
