"""Lesions are found by segmentations that did not learn from them, or it is said that they did."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.datasets.catalog import DatasetError
from data.images import read_mask
from data.splits import split_by_lesion
from pipeline.bundle.loading import load_bundle
from pipeline.comparison.config import ComparisonConfig
from pipeline.comparison.folder import ComparisonFolder
from pipeline.comparison.masks import bundle_masks, cross_fitted_masks, describe_mask, mask_source
from segmentation.config import SegmentationConfig
from segmentation.engine.run_folder import Run
from segmentation.metrics import jaccard

CONFIG = ComparisonConfig(folds=2)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch, model_files: dict[str, Path]) -> dict[str, pd.DataFrame]:
    """What each fold's training is given; its model takes dark pixels for the lesion."""
    given: dict[str, pd.DataFrame] = {}

    def train(catalog, _config, output, *, splits, **_):
        given[Path(output).name] = catalog.merge(splits, on="image_id")
        run = Run(Path(output))
        run.write_metrics({"interrupted": False, "threshold": 0.5})
        shutil.copyfile(model_files["segmentation"], run.folder / "model.tflite")
        return run.metrics

    monkeypatch.setattr("segmentation.training.train", train)
    return given


def test_no_lesion_is_found_by_a_model_that_learnt_from_it(
    tmp_path: Path, trainings: dict, drawn_catalog: pd.DataFrame
) -> None:
    masks = cross_fitted_masks(
        ComparisonFolder(tmp_path), drawn_catalog, split_by_lesion(drawn_catalog), CONFIG
    )
    assert sorted(trainings) == ["fold-0", "fold-1"]
    lesions = drawn_catalog["lesion_id"].to_numpy()
    for fold in (0, 1):
        learnt = set(trainings[f"fold-{fold}"]["lesion_id"])
        found = set(lesions[masks.table["fold"] == fold])
        assert learnt.isdisjoint(found)
        assert learnt | found == set(lesions)
        assert {"train", "validation"} == set(trainings[f"fold-{fold}"]["split"])


@pytest.mark.usefixtures("trainings")
def test_masks_are_kept_and_described(tmp_path: Path, drawn_catalog: pd.DataFrame) -> None:
    splits = split_by_lesion(drawn_catalog)
    table = cross_fitted_masks(ComparisonFolder(tmp_path), drawn_catalog, splits, CONFIG).table
    assert table["image_id"].tolist() == drawn_catalog["image_id"].tolist()
    found, reference = (read_mask(path) for path in (table["found_path"][5], drawn_catalog["mask_path"][5]))
    assert table["jaccard"][5] == pytest.approx(jaccard(found, reference))
    assert table["area"][5] == pytest.approx(reference.mean())
    assert table["found"].any()


def test_finding_goes_on_where_a_kill_has_stopped_it(
    tmp_path: Path, trainings: dict, drawn_catalog: pd.DataFrame
) -> None:
    folder, splits = ComparisonFolder(tmp_path), split_by_lesion(drawn_catalog)
    first = cross_fitted_masks(folder, drawn_catalog, splits, CONFIG).table
    kept = folder.mask_path(drawn_catalog["image_id"][0]).stat().st_mtime_ns
    folder.masks_path.unlink()
    folder.mask_path(drawn_catalog["image_id"][1]).unlink()
    trainings.clear()
    again = cross_fitted_masks(folder, drawn_catalog, splits.astype(str), CONFIG).table
    pd.testing.assert_frame_equal(first, again)
    assert trainings == {}
    assert folder.mask_path(drawn_catalog["image_id"][0]).stat().st_mtime_ns == kept


@pytest.mark.usefixtures("trainings")
def test_a_fold_learns_from_no_more_masks_than_wanted(
    tmp_path: Path, trainings: dict, drawn_catalog: pd.DataFrame
) -> None:
    few = ComparisonConfig(folds=2, most_masks=12)
    cross_fitted_masks(ComparisonFolder(tmp_path), drawn_catalog, split_by_lesion(drawn_catalog), few)
    assert [len(given) for given in trainings.values()] == [12, 12]


def test_lesions_that_a_bundle_knows_are_named_and_counted(
    tmp_path: Path, make_bundle, drawn_catalog: pd.DataFrame
) -> None:
    catalog = drawn_catalog.head(10).assign(lesion_id=list("aabcdefghi"))
    splits = tmp_path / "splits.csv"
    known = pd.DataFrame(
        {"image_id": catalog["image_id"].iloc[[1, 4, 9]], "split": ["train", "validation", "test"]}
    )
    known.to_csv(splits, index=False)
    bundle = load_bundle(make_bundle(tmp_path / "bundle", splits))
    masks = bundle_masks(ComparisonFolder(tmp_path / "comparison"), catalog, bundle)
    assert masks.table["seen"].tolist() == [True, True, False, False, True, *[False] * 5]
    assert "trained or chosen on 3 of the 10 images (30%)" in masks.source
    assert catalog["image_id"][0] in masks.source


def test_a_bundle_that_does_not_tell_its_images_is_not_trusted(
    tmp_path: Path, bundle_folder: Path, drawn_catalog: pd.DataFrame
) -> None:
    masks = bundle_masks(ComparisonFolder(tmp_path), drawn_catalog.head(3), load_bundle(bundle_folder))
    assert "does not tell which images it was trained on" in masks.source


def test_masks_enough_are_cross_fitted_and_too_few_are_not(drawn_catalog: pd.DataFrame) -> None:
    bare = drawn_catalog.assign(mask_path=None)
    assert mask_source(CONFIG, drawn_catalog) == "cross-fitted"
    assert mask_source(CONFIG, bare) == "bundle"
    with pytest.raises(DatasetError, match="0 lesions with a mask are too few"):
        mask_source(ComparisonConfig(masks="cross-fitted"), bare)


def test_without_a_reference_the_found_mask_tells_the_size() -> None:
    mask = np.zeros((10, 10), bool)
    mask[:5] = True
    described = describe_mask(mask, None)
    assert (described["found"], described["reference_found"], described["area"]) == (True, False, 0.5)
    assert np.isnan(described["jaccard"])


def test_a_speck_in_the_datasets_mask_is_no_usable_lesion() -> None:
    mask, speck = np.ones((2, 100, 100), bool)
    mask[:50] = speck[:] = False
    speck[0, 0] = True
    assert not describe_mask(mask, speck)["reference_found"]
    assert describe_mask(mask, mask)["reference_found"]


def test_real_networks_find_the_lesions_of_the_other_fold(
    tmp_path: Path,
    drawn_catalog: pd.DataFrame,
    segmentation_config: SegmentationConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = ComparisonConfig(
        folds=2, segmentation=dataclasses.replace(segmentation_config, batch_size=4, epochs=6)
    )
    splits = split_by_lesion(drawn_catalog)
    monkeypatch.setattr("segmentation.engine.normalization.MOMENTUM", 0.7)  # for so few steps
    masks = cross_fitted_masks(ComparisonFolder(tmp_path), drawn_catalog, splits, config)
    assert masks.table["found"].mean() > 0.8
    assert masks.table["jaccard"].mean() > 0.4
    for fold in (0, 1):
        learnt = Run(tmp_path / "segmentation" / f"fold-{fold}").splits["image_id"]
        assert set(learnt).isdisjoint(masks.table.loc[masks.table["fold"] == fold, "image_id"])
