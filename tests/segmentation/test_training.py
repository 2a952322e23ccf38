"""The segmentation's loss and figures, and the run that a training leaves."""

import dataclasses
import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from data.datasets.catalog import DatasetError
from segmentation import training
from segmentation.engine.fitting import FitState
from segmentation.engine.run_folder import Run, RunError
from segmentation.locating import locate_lesions
from segmentation.training import (
    choose_threshold,
    dice_and_cross_entropy,
    mean_jaccard,
    split_catalog,
    train,
)

LESION = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
SHIFTED = [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
EMPTY = np.zeros((4, 4))


def batch(*masks) -> np.ndarray:
    return np.float32(masks)[..., None]


def test_the_jaccard_is_that_of_each_image() -> None:
    found = mean_jaccard(batch(LESION, LESION, LESION), batch(LESION, SHIFTED, EMPTY))
    assert np.asarray(found) == pytest.approx([1, 2 / 6, 0])


def test_the_jaccard_cuts_probabilities_and_soft_masks_at_a_half() -> None:
    soft = 0.5 * batch(LESION)
    assert np.asarray(mean_jaccard(soft, soft + 0.2 * batch(SHIFTED))) == pytest.approx([1])


def test_two_empty_masks_agree() -> None:
    assert np.asarray(mean_jaccard(batch(EMPTY), batch(EMPTY))) == pytest.approx([1])


def test_the_loss_is_cross_entropy_and_one_minus_dice_of_each_image() -> None:
    # All at one half: a cross-entropy of ln 2; twice the overlap is 4, both areas are 4 + 8.
    unsure = np.full((4, 4), 0.5)
    loss = dice_and_cross_entropy(batch(LESION, EMPTY), batch(unsure, unsure))
    assert np.asarray(loss) == pytest.approx(
        [np.log(2) + 1 - (4 + 1) / (12 + 1), np.log(2) + 1 - 1 / (8 + 1)]
    )


def test_a_perfect_mask_has_no_loss() -> None:
    loss = dice_and_cross_entropy(batch(LESION, EMPTY), batch(LESION, EMPTY))
    assert np.asarray(loss) == pytest.approx([0, 0], abs=1e-5)


def test_a_soft_mask_is_met_best_by_its_own_values() -> None:
    soft = np.full((4, 4), 0.3)
    losses = [
        float(dice_and_cross_entropy(batch(soft), batch(np.full((4, 4), guess)))[0])
        for guess in (0.1, 0.35, 0.9)
    ]
    assert np.argmin(losses) == 1


def test_the_threshold_is_the_one_with_the_best_masks() -> None:
    reference = np.kron(np.array(LESION, bool), np.ones((4, 4), bool))
    faint = np.where(reference, 0.42, np.where(np.roll(reference, 4, axis=1), 0.37, 0.1))
    assert choose_threshold(faint[None], reference[None]) == pytest.approx(0.4)


def test_a_run_folder_holds_everything(segmentation_run: Run) -> None:
    files = {file.name for file in segmentation_run.folder.iterdir()}
    assert {
        "config.json", "splits.csv", "history.csv", "metrics.json", "model.keras", "samples.npz", "curves.png",
        "examples.png", "logs", "checkpoint",
    } <= files  # fmt: skip
    assert "cache" not in files
    assert not [name for name in files if name.startswith(".")]


def test_a_training_learns_to_find_drawn_lesions(segmentation_run: Run) -> None:
    metrics = segmentation_run.metrics
    assert metrics["validation"]["jaccard"]["value"] > 0.5
    assert metrics["validation"]["images"] == (segmentation_run.splits["split"] == "validation").sum()
    assert 0.2 <= metrics["threshold"] <= 0.8
    assert not metrics["interrupted"]


def test_the_speed_is_that_of_all_training_images_of_all_epochs(segmentation_run: Run) -> None:
    metrics = segmentation_run.metrics
    images = (segmentation_run.splits["split"] == "train").sum() * metrics["epochs"]
    assert metrics["images_per_second"] * metrics["training_seconds"] == pytest.approx(images, rel=0.05)
    history = pd.read_csv(segmentation_run.folder / "history.csv")
    assert history["seconds"].sum() == pytest.approx(metrics["training_seconds"], abs=0.1 * len(history))


def test_the_samples_of_a_run_are_real_inputs_of_its_model(segmentation_run: Run) -> None:
    samples = segmentation_run.samples
    parts = segmentation_run.splits["split"].value_counts()
    assert samples["calibration"].shape == (parts["train"], 32, 64, 3)
    assert samples["validation"].shape == (parts["validation"], 32, 64, 3)
    assert samples["validation"].dtype == np.uint8
    assert samples["validation"].std() > 10


def test_a_finished_run_is_resumed_without_training(
    tmp_path: Path, segmentation_run: Run, segmentation_config, drawn_catalog: pd.DataFrame
) -> None:
    copy = shutil.copytree(segmentation_run.folder, tmp_path / "copy")
    metrics = train(drawn_catalog, segmentation_config, copy, resume=True)
    assert metrics == segmentation_run.metrics


def test_an_existing_run_is_not_overwritten(
    segmentation_run: Run, segmentation_config, drawn_catalog: pd.DataFrame
) -> None:
    with pytest.raises(RunError, match="already holds a run; add --resume"):
        train(drawn_catalog, segmentation_config, segmentation_run.folder)


def test_a_run_is_not_resumed_with_other_settings(
    segmentation_run: Run, segmentation_config, drawn_catalog: pd.DataFrame
) -> None:
    other = dataclasses.replace(segmentation_config, batch_size=4)
    with pytest.raises(RunError, match="was started with batch_size=8"):
        train(drawn_catalog, other, segmentation_run.folder, resume=True)


def test_lesions_are_located_in_pixels_of_the_image(
    segmentation_run: Run, drawn_catalog: pd.DataFrame
) -> None:
    located = locate_lesions(segmentation_run, drawn_catalog.head(8))
    assert located["image_id"].tolist() == drawn_catalog["image_id"].head(8).tolist()
    assert (located["height"] == 96).all()
    assert (located["width"] == 128).all()
    found = located.dropna()
    assert len(found) > 4
    assert ((found["x0"] >= 0) & (found["x0"] < found["x1"]) & (found["x1"] <= 128)).all()
    assert found["x1"].max() > 64


@pytest.fixture
def fit_nothing(monkeypatch: pytest.MonkeyPatch) -> dict:
    """A `fit` that leaves a model of one layer, as if Ctrl-C had come at once; holds the batches that it was given."""
    given = {}

    def fit(run, phases, *, make_batches, **_) -> FitState:
        given["training"], given["validation"] = make_batches(phases[-1])
        image = keras.Input((*phases[-1].input_size, 3))
        keras.Model(image, keras.layers.Conv2D(1, 1, activation="sigmoid")(image)).save(run.model_path)
        return FitState(interrupted=True)

    monkeypatch.setattr(training, "fit", fit)
    return given


@pytest.mark.usefixtures("fit_nothing")
def test_ctrl_c_in_the_first_epoch_leaves_a_usable_run(
    tmp_path: Path, segmentation_config, drawn_catalog: pd.DataFrame
) -> None:
    metrics = train(drawn_catalog, segmentation_config, tmp_path)
    assert metrics["interrupted"]
    assert Run(tmp_path).metrics == metrics
    assert (tmp_path / "curves.png").exists()
    assert not (tmp_path / "cache").exists()


def test_a_given_split_is_used_and_images_without_a_mask_are_left_out(
    tmp_path: Path, fit_nothing: dict, segmentation_config, drawn_catalog: pd.DataFrame
) -> None:
    catalog = drawn_catalog.head(12).copy()
    catalog.loc[0, "mask_path"] = None
    splits = pd.DataFrame(
        {"image_id": catalog["image_id"], "split": ["train"] * 8 + ["validation"] * 3 + ["test"]}
    )
    train(catalog, segmentation_config, tmp_path, splits=splits)
    assert (fit_nothing["training"].count, fit_nothing["validation"].count) == (7, 3)
    pd.testing.assert_frame_equal(Run(tmp_path).splits[["image_id", "split"]], splits, check_dtype=False)


def test_a_dataset_without_masks_can_not_train_the_segmentation(
    tmp_path: Path, segmentation_config, drawn_catalog: pd.DataFrame
) -> None:
    with pytest.raises(DatasetError, match="no image of the dataset has a mask"):
        train(drawn_catalog.assign(mask_path=None), segmentation_config, tmp_path)


@pytest.fixture
def apart(drawn_catalog: pd.DataFrame) -> pd.DataFrame:
    """Drawn images, each of a lesion of its own."""
    return drawn_catalog.assign(lesion_id=drawn_catalog["image_id"])


def known(catalog: pd.DataFrame, train: slice, test: slice) -> pd.DataFrame:
    """A split of some of the catalog's images."""
    parts = {"train": train, "test": test}
    return pd.concat(
        [pd.DataFrame({"image_id": catalog["image_id"][ids], "split": name}) for name, ids in parts.items()],
        ignore_index=True,
    )


def test_beside_a_split_that_knows_some_images_tests_stay_tests(apart: pd.DataFrame) -> None:
    beside = known(apart, slice(0, 14), slice(14, 20))
    plain, found = (split_catalog(apart, 0, each).set_index("image_id") for each in (None, beside))
    taught = plain["group"].isin(plain.loc[apart["image_id"][:14], "group"])
    assert "test" in set(plain.loc[taught, "split"]), "it would test on what taught"
    assert "test" not in set(found.loc[taught, "split"])
    tested = plain["group"].isin(plain.loc[apart["image_id"][14:20], "group"]) & ~taught
    assert tested.sum() >= 4
    assert set(found.loc[tested, "split"]) == {"test"}
    assert found.loc[~taught & ~tested, "split"].equals(plain.loc[~taught & ~tested, "split"])


def test_what_taught_is_left_out_of_the_test_of_the_catalog_s_own_folders(apart: pd.DataFrame) -> None:
    own = apart.assign(own_split=["test"] * 10 + ["validation"] * 10 + ["train"] * (len(apart) - 20))
    beside = known(apart, slice(0, 3), slice(3, 6))
    found = split_catalog(own, 0, beside).set_index("image_id")["split"]
    assert set(apart["image_id"][:3]).isdisjoint(found.index)
    assert set(found[apart["image_id"][3:6]]) == {"test"}
