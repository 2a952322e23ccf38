"""What the classification's training sees, how it weighs classes, and the run that it leaves."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from classification import training
from classification.config import ClassificationConfig
from classification.model import with_activation_map
from classification.ood import OODDetector, Scale
from classification.training import train
from data.datasets.catalog import DatasetError
from data.images import read_image
from data.splits import split_by_lesion
from segmentation.engine.fitting import FitState
from segmentation.engine.run_folder import Run, RunError
from segmentation.locating import RunLocator
from segmentation.training import split_catalog


@pytest.fixture
def fit_nothing(monkeypatch: pytest.MonkeyPatch) -> dict:
    """A `fit` that leaves a model of one layer, as if Ctrl-C had come at once; holds the batches and the loss."""
    given = {}

    def fit(run, phases, *, make_batches, compile_model, **_) -> FitState:
        given["training"], given["validation"] = make_batches(phases[-1])
        image = keras.Input((*phases[-1].input_size, 3))
        scaled = keras.layers.Rescaling(1 / 255, name="scale")(image)
        features = keras.layers.AveragePooling2D(8, name="encoder")(scaled)
        pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
        model = keras.Model(image, keras.layers.Dense(given["training"].classes, name="logits")(pooled))
        compile_model(model, phases[-1], 1)
        given["loss"] = model.loss
        model.save(run.model_path)
        return FitState(interrupted=True)

    monkeypatch.setattr(training, "fit", fit)
    return given


FULL = ClassificationConfig(
    view="full", input_side=32, small_side=32, encoder_weights=None, augmentation="none", label_smoothing=0.0
)
REFERENCE = dataclasses.replace(FULL, view="crop", boxes="reference")


def with_classes(catalog: pd.DataFrame, **counts: int) -> pd.DataFrame:
    """The first images of the catalog with other diagnoses, each image a lesion of its own."""
    labels = [dx for dx, count in counts.items() for _ in range(count)]
    catalog = catalog.head(len(labels)).copy()
    return catalog.assign(dx=labels, lesion_id=catalog["image_id"])


def in_parts(catalog: pd.DataFrame) -> pd.DataFrame:
    """Two of three images of each class for training, the third for validation."""
    turn = catalog.groupby("dx").cumcount() % 3
    return pd.DataFrame(
        {"image_id": catalog["image_id"], "split": np.where(turn == 2, "validation", "train")}
    )


def test_a_run_folder_holds_everything(classification_run: Run) -> None:
    files = {file.name for file in classification_run.folder.iterdir()}
    assert {
        "config.json", "splits.csv", "history.csv", "metrics.json", "model.keras", "samples.npz", "curves.png",
        "examples.png", "logs", "checkpoint", "lesions-train.csv", "lesions-validation.csv",
        "validation_predictions.csv",
    } <= files  # fmt: skip
    assert "cache" not in files


def test_the_head_trains_first_and_then_all_layers(classification_run: Run) -> None:
    history = pd.read_csv(classification_run.folder / "history.csv")
    assert history["phase"].tolist() == ["head", "full", "full", "full"]


def test_the_split_is_that_of_the_segmentation(classification_run: Run, segmentation_run: Run) -> None:
    pd.testing.assert_frame_equal(classification_run.splits, segmentation_run.splits)


def test_the_boxes_are_those_that_the_segmentation_finds(classification_run: Run, drawn_catalog) -> None:
    located = pd.read_csv(classification_run.folder / "lesions-train.csv").dropna()
    assert len(located) > 20
    masks = drawn_catalog.set_index("image_id")["mask_path"]
    hits = [
        read_image(masks[row.image_id])[int(row.y0 + row.y1) // 2, int(row.x0 + row.x1) // 2, 0] > 127
        for row in located.itertuples()
    ]
    assert np.mean(hits) > 0.8


def test_validation_predictions_are_calibrated_probabilities(classification_run: Run) -> None:
    table = pd.read_csv(classification_run.folder / "validation_predictions.csv")
    classes = classification_run.metrics["classes"]
    assert classes == ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
    assert table[classes].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    confident = (table[classes].max(axis=1) >= classification_run.metrics["abstention_threshold"]).mean()
    assert 0.6 <= confident <= 1


def test_hardly_a_validation_image_counts_as_unlike_the_others(classification_run: Run) -> None:
    recorded = classification_run.metrics["familiarity"]
    scales = {sign: Scale(**recorded[sign]) for sign in ("energy", "unevenness")}
    familiarity = OODDetector(**scales, threshold=recorded["threshold"])
    model = with_activation_map(keras.models.load_model(classification_run.model_path, compile=False))
    scores = familiarity.score(*model.predict_on_batch(classification_run.samples["validation"]))
    assert len(scores) == (classification_run.splits["split"] == "validation").sum()
    assert np.mean(scores) == pytest.approx(0, abs=0.01)
    assert np.sort(scores)[0] < familiarity.threshold < np.sort(scores)[1]


def test_the_full_view_sees_whole_images(
    tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame
) -> None:
    catalog = drawn_catalog.head(12).assign(lesion_id=drawn_catalog["image_id"].head(12))
    again = catalog["dx"].duplicated()
    splits = pd.DataFrame({"image_id": catalog["image_id"], "split": np.where(again, "validation", "train")})
    train(catalog, FULL, tmp_path, splits=splits)
    batches = fit_nothing["validation"]
    assert batches.boxes is None
    first = read_image(catalog.loc[again, "image_path"].iloc[0])
    assert batches[0][0][0].mean(axis=(0, 1)) == pytest.approx(first.mean(axis=(0, 1)), abs=2)


def test_reference_masks_need_no_segmentation_run(
    tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame
) -> None:
    catalog = with_classes(drawn_catalog, mel=6, nv=6)
    catalog.loc[catalog.index[0], "mask_path"] = None
    metrics = train(catalog, REFERENCE, tmp_path, splits=in_parts(catalog))
    assert metrics["images_without_lesion_found"] == 1
    located = pd.read_csv(tmp_path / "lesions-train.csv")
    assert located["x0"].isna().tolist() == [True, *[False] * 7]
    boxes = fit_nothing["training"].boxes
    assert boxes[0].tolist() == [0.5, 0.5, 1]
    assert (boxes[1:, 2] < 1).any()
    assert fit_nothing["training"].jitter == 0.1
    assert fit_nothing["validation"].jitter == 0


def test_an_image_without_a_lesion_is_seen_whole_beside_crops(
    tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame
) -> None:
    catalog = with_classes(drawn_catalog, mel=6, nv=6)
    catalog.loc[catalog.index[2], "mask_path"] = None  # the first image of validation
    train(catalog, REFERENCE, tmp_path, splits=in_parts(catalog))
    seen = fit_nothing["validation"][0][0]
    whole = read_image(catalog["image_path"].iloc[2])
    assert seen[0].mean(axis=(0, 1)) == pytest.approx(whole.mean(axis=(0, 1)), abs=2)


def test_a_control_view_takes_its_masks_from_the_catalog(
    tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame
) -> None:
    catalog = with_classes(drawn_catalog, mel=6, nv=6)
    catalog.loc[catalog.index[2], "mask_path"] = None  # the first image of validation
    train(catalog, dataclasses.replace(FULL, view="masked"), tmp_path, splits=in_parts(catalog))
    whole, *masked = fit_nothing["validation"][0][0]
    assert not (whole == 128).all(axis=2).any()
    assert all(0.2 < (image == 128).all(axis=2).mean() < 1 for image in masked)


@pytest.mark.usefixtures("fit_nothing")
def test_predicted_boxes_need_a_segmentation_run(tmp_path: Path, drawn_catalog: pd.DataFrame) -> None:
    crop = dataclasses.replace(FULL, view="crop")
    catalog = with_classes(drawn_catalog, mel=6, nv=6)
    with pytest.raises(
        RunError, match=r"needs --segmentation RUN .* to find the lesions, or --boxes reference"
    ):
        train(catalog, crop, tmp_path, splits=in_parts(catalog))


@pytest.mark.usefixtures("fit_nothing")
def test_a_prior_strength_is_refused_where_the_loss_leaves_no_shares(
    tmp_path: Path, drawn_catalog: pd.DataFrame
) -> None:
    focal = dataclasses.replace(FULL, imbalance="focal", prior_strength=0.5)
    with pytest.raises(RunError, match="no meaning with --imbalance focal; leave out one of them"):
        train(with_classes(drawn_catalog, mel=6, nv=6), focal, tmp_path)


@pytest.mark.usefixtures("fit_nothing")
def test_images_that_taught_the_segmentation_are_no_test_of_a_larger_dataset(
    tmp_path: Path, segmentation_run: Run, drawn_catalog: pd.DataFrame
) -> None:
    taught = segmentation_run.splits.query("split != 'test'")["image_id"].head(20)
    strange = ~drawn_catalog["image_id"].isin(taught)
    larger = drawn_catalog.assign(
        image_id=drawn_catalog["image_id"].mask(strange, "new-" + drawn_catalog["image_id"]),
        lesion_id=drawn_catalog["image_id"],
        dx=["mel", "nv"] * 21,
    )
    plain = split_catalog(larger, FULL.seed)
    testing = plain["image_id"].isin(taught) & plain["split"].eq("test")
    assert testing.any(), "the plain split would test on them"
    train(larger, FULL, tmp_path, segmentation=RunLocator(segmentation_run))
    found = Run(tmp_path).splits.set_index("image_id")["split"]
    assert "test" not in set(found[taught])
    others = plain[~plain["group"].isin(plain.loc[plain["image_id"].isin(taught), "group"])]
    assert found[others["image_id"]].tolist() == others["split"].tolist()
    assert "test" in set(others["split"])


@pytest.mark.usefixtures("fit_nothing")
def test_another_dataset_than_the_segmentations_gets_a_split_of_its_own(
    tmp_path: Path, segmentation_run: Run, drawn_catalog: pd.DataFrame
) -> None:
    other = drawn_catalog.assign(image_id="other-" + drawn_catalog["image_id"], dx=["mel", "nv"] * 21)
    train(other, FULL, tmp_path, segmentation=RunLocator(segmentation_run))
    assert set(Run(tmp_path).splits["image_id"]) == set(other["image_id"])
    lesions = (
        Run(tmp_path).splits.merge(other[["image_id"]], on="image_id").groupby("lesion_id")["split"].nunique()
    )
    assert (lesions == 1).all()


def test_malignancy_groups_the_diagnoses(
    tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame
) -> None:
    catalog = with_classes(drawn_catalog, mel=3, nv=6, bcc=3)
    config = dataclasses.replace(FULL, grouping="malignancy")
    metrics = train(catalog, config, tmp_path, splits=in_parts(catalog))
    assert metrics["classes"] == ["benign", "malignant"]
    assert fit_nothing["training"].labels.tolist() == [1, 1, 0, 0, 0, 0, 1, 1]


def test_images_without_a_diagnosis_are_left_out(
    tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame
) -> None:
    catalog = with_classes(drawn_catalog, mel=6, nv=6)
    splits = in_parts(catalog)
    catalog.loc[catalog.index[0], "dx"] = None
    train(catalog, FULL, tmp_path, splits=splits)
    assert fit_nothing["training"].count == 7


@pytest.mark.usefixtures("fit_nothing")
def test_one_class_is_nothing_to_tell_apart(tmp_path: Path, drawn_catalog: pd.DataFrame) -> None:
    with pytest.raises(DatasetError, match=r"has one class only, nv; add images of another class"):
        train(with_classes(drawn_catalog, nv=9), FULL, tmp_path)


@pytest.mark.usefixtures("fit_nothing")
@pytest.mark.parametrize("option", ["only", "malignant"])
def test_a_class_that_the_dataset_lacks_is_named(
    option: str, tmp_path: Path, drawn_catalog: pd.DataFrame
) -> None:
    config = dataclasses.replace(FULL, **{option: ("nv", "spitz")})
    with pytest.raises(DatasetError, match=f"--{option} names spitz, .* its classes are mel, nv"):
        train(with_classes(drawn_catalog, nv=9, mel=3), config, tmp_path)


@pytest.mark.usefixtures("fit_nothing")
def test_a_class_that_is_only_validated_is_refused(tmp_path: Path, drawn_catalog: pd.DataFrame) -> None:
    catalog = with_classes(drawn_catalog, mel=3, nv=6, df=1)
    splits = in_parts(catalog)
    splits.loc[catalog["dx"].to_numpy() == "df", "split"] = "validation"
    with pytest.raises(DatasetError, match="the training split has no image of df"):
        train(catalog, FULL, tmp_path, splits=splits)


@pytest.fixture
def loss_of(tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame):
    """A function (imbalance) -> the loss of a training with eight images of melanoma and two of bcc."""

    def build(imbalance: str, **settings):
        catalog = with_classes(drawn_catalog, mel=12, bcc=3)
        config = dataclasses.replace(FULL, imbalance=imbalance, **settings)
        train(catalog, config, tmp_path / imbalance, splits=in_parts(catalog))
        return lambda label, logits: float(
            np.mean(fit_nothing["loss"](np.float32([label]), np.float32([logits])))
        )

    return build


BCC, MEL = [1, 0], [0, 1]


def test_unweighted_loss_is_cross_entropy(loss_of) -> None:
    loss = loss_of("none")
    assert loss(MEL, [0, 0]) == loss(BCC, [0, 0]) == pytest.approx(np.log(2))


def test_class_weights_make_a_rare_class_dear(loss_of) -> None:
    loss = loss_of("class-weights")
    # Eight and two images: weights 10 / (2 * 8) and 10 / (2 * 2), so that their mean over the images is 1.
    assert loss(MEL, [0, 0]) == pytest.approx(0.625 * np.log(2))
    assert loss(BCC, [0, 0]) == pytest.approx(2.5 * np.log(2))


def test_class_weights_leave_room_for_label_smoothing(loss_of) -> None:
    loss = loss_of("class-weights", label_smoothing=0.1)
    expected = -(0.95 * np.log(1 / (1 + np.exp(-2))) + 0.05 * np.log(1 / (1 + np.exp(2))))
    assert loss(MEL, [-1, 1]) == pytest.approx(0.625 * expected, rel=1e-5)


def test_focal_loss_cares_less_for_what_is_already_right(loss_of) -> None:
    focal = loss_of("focal")
    # Cross-entropy times the square of what is missing from certainty: logits of -2 and 2 give 0.018 and 0.982.
    assert focal(MEL, [2, -2]) / focal(MEL, [-2, 2]) == pytest.approx(
        4.0181 * 0.982**2 / (0.0181 * 0.018**2), rel=0.01
    )
    assert focal(BCC, [0, 0]) / focal(MEL, [0, 0]) == pytest.approx(4)


@pytest.mark.parametrize(("imbalance", "share"), [("none", 0.2), ("square-root", 1 / 3), ("balanced", 0.5)])
def test_samplings_draw_rare_classes_more_often(
    tmp_path: Path, fit_nothing: dict, drawn_catalog: pd.DataFrame, imbalance: str, share: float
) -> None:
    catalog = with_classes(drawn_catalog, mel=12, bcc=3)
    train(catalog, dataclasses.replace(FULL, imbalance=imbalance), tmp_path, splits=in_parts(catalog))
    batches, drawn = fit_nothing["training"], []
    for epoch in range(60):
        batches.epoch = epoch
        drawn += [batches[index][1][:, 0].mean() for index in range(len(batches))]
    assert np.mean(drawn) == pytest.approx(share, abs=0.06)


@pytest.mark.usefixtures("fit_nothing")
def test_ctrl_c_in_the_first_epoch_leaves_a_usable_run(tmp_path: Path, drawn_catalog: pd.DataFrame) -> None:
    catalog = with_classes(drawn_catalog, mel=6, nv=6)
    metrics = train(catalog, FULL, tmp_path, splits=in_parts(catalog))
    assert metrics["interrupted"]
    assert Run(tmp_path).samples["validation"].shape == (4, 32, 32, 3)
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("fit_nothing")
def test_a_run_is_neither_overwritten_nor_resumed_with_other_settings(
    tmp_path: Path, drawn_catalog: pd.DataFrame
) -> None:
    catalog = with_classes(drawn_catalog, mel=6, nv=6)
    splits = split_by_lesion(catalog)
    train(catalog, FULL, tmp_path, splits=splits)
    with pytest.raises(RunError, match="already holds a run; add --resume"):
        train(catalog, FULL, tmp_path, splits=splits)
    with pytest.raises(RunError, match="was started with imbalance='square-root'"):
        train(catalog, dataclasses.replace(FULL, imbalance="focal"), tmp_path, splits=splits, resume=True)
