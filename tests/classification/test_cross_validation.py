"""Every image is scored once, by a model that neither learned from its lesion nor was chosen on it."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from classification.config import ClassificationConfig
from classification.cross_validation import _folds, cross_validate
from data.datasets.catalog import DatasetError
from segmentation.engine.run_folder import Run


def test_lesions_stay_in_one_fold(drawn_catalog: pd.DataFrame) -> None:
    few = drawn_catalog.assign(
        dx=drawn_catalog["dx"].isin(["nv", "bkl", "df", "vasc"]).map({True: "a", False: "b"})
    )
    folds = pd.Series(_folds(few, 3, seed=0), index=few["lesion_id"])
    assert set(folds) == {0, 1, 2}
    assert folds.groupby(level=0).nunique().max() == 1


def test_more_folds_than_lesions_of_a_class_are_refused(drawn_catalog: pd.DataFrame) -> None:
    with pytest.raises(DatasetError, match="30 folds can't be made"):
        _folds(drawn_catalog, 30, seed=0)


def test_the_out_of_fold_answers_cover_all_images(
    drawn_catalog: pd.DataFrame, classification_config: ClassificationConfig, tmp_path: Path
) -> None:
    config = replace(
        classification_config,
        view="full",
        grouping="malignancy",
        head_epochs=0,
        epochs=1,
        input_side=32,
        small_side=32,
    )
    begun: list[int] = []
    scores = cross_validate(drawn_catalog, config, tmp_path, 3, begin=begun.append)
    assert begun == [1, 2, 3]
    assert scores is not None
    assert scores.count == len(drawn_catalog)
    table = pd.read_csv(tmp_path / "out-of-fold.csv")
    assert sorted(table["image_id"]) == sorted(drawn_catalog["image_id"])
    assert table[list(scores.classes)].sum(axis=1).to_numpy() == pytest.approx(1.0)
    for fold in (1, 2, 3):
        splits = Run(tmp_path / f"fold-{fold}").splits
        tested = set(splits.loc[splits["split"] == "test", "image_id"])
        assert tested == set(table.loc[table["fold"] == fold, "image_id"])
