"""A run folder says what was asked for, and refuses to go on with something else."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.files import write_text
from data.splits import write_splits
from segmentation.engine.run_folder import (
    Run,
    RunError,
    describe_dataset,
    fingerprint,
    keep_earlier_splits,
    open_run,
    start_run,
)

SETTINGS = {"input_size": (32, 64), "epochs": 3, "encoder_weights": None}


def catalog_of(count: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": [f"image-{number}" for number in range(count)],
            "image_path": [f"/photos/image-{number}.jpg" for number in range(count)],
            "mask_path": ["/masks/0.png", *[None] * (count - 1)],
            "lesion_id": [f"lesion-{number // 2}" for number in range(count)],
            "dx": ["nv", "mel", None, *["nv"] * (count - 3)],
            "sex": ["female", None] * (count // 2),
            "age": [30.0, 70.0, None, *[85.0] * (count - 3)],
            "localization": "back",
            "dx_type": "histo",
        }
    )


def splits_of(catalog: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"image_id": catalog["image_id"], "split": "train"})


def start(
    folder: Path, stage: str = "segmentation", settings=SETTINGS, catalog=None, *, resume: bool = False
) -> Run:
    catalog = catalog_of() if catalog is None else catalog
    return start_run(folder, stage, settings, catalog, splits_of(catalog), resume=resume)


def train_an_epoch(folder: Path) -> Run:
    """A run that was stopped after an epoch in which its model was never the best."""
    run = start(folder)
    write_text(run.checkpoint_folder / "state.json", "{}")
    return run


def test_a_run_tells_what_it_was_asked_for(tmp_path: Path) -> None:
    start(tmp_path / "run")
    run = Run(tmp_path / "run")
    assert run.config["stage"] == "segmentation"
    assert run.settings == {"input_size": [32, 64], "epochs": 3, "encoder_weights": None}
    assert {"python", "numpy", "keras"} <= set(run.config["packages"])
    assert run.splits["image_id"].tolist() == catalog_of()["image_id"].tolist()


def test_the_dataset_is_described_by_its_counts() -> None:
    description = describe_dataset(catalog_of())
    del description["fingerprint"]
    assert description == {
        "images": 4,
        "lesions": 2,
        "masks": 1,
        "classes": {"mel": 1, "nv": 2, "unknown": 1},
        "sex": {"female": 2, "unknown": 2},
        "localization": {"back": 4},
        "dx_type": {"histo": 4},
        "age_groups": {"30-49": 1, "70+": 2, "unknown": 1},
    }


def test_a_dataset_is_known_again_wherever_and_in_whatever_order_it_lies() -> None:
    catalog = catalog_of()
    moved = catalog.assign(image_path="/elsewhere/" + catalog["image_id"]).iloc[::-1]
    assert fingerprint(moved) == fingerprint(catalog)


@pytest.mark.parametrize("column", ["image_id", "lesion_id", "dx"])
def test_other_images_lesions_or_labels_are_another_dataset(column: str) -> None:
    changed = catalog_of()
    changed.loc[1, column] = "other"
    assert fingerprint(changed) != fingerprint(catalog_of())


def test_an_existing_run_is_not_overwritten(tmp_path: Path) -> None:
    train_an_epoch(tmp_path)
    with pytest.raises(RunError, match="already holds a run; add --resume"):
        start(tmp_path)


def test_a_run_is_resumed_with_the_same_settings_and_images(tmp_path: Path) -> None:
    train_an_epoch(tmp_path)
    assert start(tmp_path, resume=True).settings["epochs"] == 3


def test_there_may_be_nothing_yet_to_resume(tmp_path: Path) -> None:
    assert start(tmp_path / "new", resume=True).splits_path.exists()


@pytest.mark.parametrize("resume", [True, False])
def test_a_start_that_failed_does_not_block_the_corrected_command(tmp_path: Path, resume: bool) -> None:
    run = start(tmp_path)
    (tmp_path / "lesions-train.csv").write_text("image_id\n")
    run.cache_folder.mkdir()
    start(tmp_path, "classification", {**SETTINGS, "epochs": 4}, catalog_of(6), resume=resume)
    corrected = Run(tmp_path)
    assert (corrected.config["stage"], corrected.settings["epochs"], len(corrected.splits)) == (
        "classification",
        4,
        6,
    )
    assert {file.name for file in tmp_path.iterdir()} == {"config.json", "splits.csv"}


def prepared_start(folder: Path) -> Run:
    """A start that came as far as the teachers' answers, and whose first epoch did not end."""
    run = start(folder)
    (folder / "lesions-train.csv").write_text("image_id\n")
    for place in (run.cache_folder, run.checkpoint_folder, run.log_folder):
        place.mkdir()
    (folder / "answers.npy").write_bytes(b"answers")
    return run


def test_what_a_killed_start_prepared_is_kept_for_the_same_training(tmp_path: Path) -> None:
    run = prepared_start(tmp_path)
    start(tmp_path, resume=True)
    assert (tmp_path / "answers.npy").read_bytes() == b"answers"
    assert (tmp_path / "lesions-train.csv").exists()
    assert not run.checkpoint_folder.exists() and not run.log_folder.exists()


@pytest.mark.parametrize(
    "other", [{"resume": False}, {"settings": {**SETTINGS, "epochs": 4}}, {"catalog": catalog_of(6)}]
)
def test_what_a_killed_start_prepared_is_not_taken_for_another_training(tmp_path: Path, other) -> None:
    prepared_start(tmp_path)
    start(tmp_path, **{"resume": True, **other})
    assert {file.name for file in tmp_path.iterdir()} == {"config.json", "splits.csv"}


@pytest.mark.parametrize("name", ["config.json", "splits.csv", "metrics.json", "answers.npy"])
def test_files_that_are_no_runs_are_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(RunError, match=rf"{name}.* would be overwritten; give another --output"):
        start(tmp_path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, '{"mine": 1}')]


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    train_an_epoch(tmp_path)
    with pytest.raises(
        RunError, match=r"was started with epochs=3; resume it with the same settings"
    ) as refusal:
        start(tmp_path, settings={**SETTINGS, "epochs": 4}, resume=True)
    assert "input_size" not in str(refusal.value)


def test_another_split_is_refused_and_more_rows_than_images_are_not(tmp_path: Path) -> None:
    catalog = catalog_of()
    train_an_epoch(tmp_path)
    more = pd.concat([splits_of(catalog), pd.DataFrame({"image_id": ["elsewhere"], "split": ["test"]})])
    start_run(tmp_path, "segmentation", SETTINGS, catalog, more, resume=True)
    with pytest.raises(RunError, match="started with another split"):
        start_run(tmp_path, "segmentation", SETTINGS, catalog, more.assign(split="validation"), resume=True)


def test_rows_of_other_images_are_left_out_of_the_split(tmp_path: Path) -> None:
    catalog = catalog_of()
    run = start_run(tmp_path, "segmentation", SETTINGS, catalog.head(3), splits_of(catalog))
    assert run.splits["image_id"].tolist() == catalog["image_id"].head(3).tolist()


def test_other_images_are_refused(tmp_path: Path) -> None:
    train_an_epoch(tmp_path)
    with pytest.raises(RunError, match="started on other images"):
        start(tmp_path, catalog=catalog_of(6), resume=True)


def test_a_run_of_the_other_stage_is_refused(tmp_path: Path) -> None:
    train_an_epoch(tmp_path)
    with pytest.raises(RunError, match="is a segmentation run"):
        start(tmp_path, "classification", resume=True)
    with pytest.raises(RunError, match="is a segmentation run; give the folder of a classification run"):
        open_run(tmp_path, "classification")


def test_a_run_without_a_model_can_not_be_used(tmp_path: Path) -> None:
    start(tmp_path)
    with pytest.raises(RunError, match="has no model yet"):
        open_run(tmp_path, "segmentation")
    with pytest.raises(RunError, match=r"no samples\.npz"):
        _ = Run(tmp_path).samples


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is no run folder, it has no config\.json"):
        open_run(tmp_path, "segmentation")


def test_a_run_that_was_killed_is_to_be_resumed(tmp_path: Path) -> None:
    run = train_an_epoch(tmp_path)
    with pytest.raises(RunError, match=r"has no metrics\.json, its training has not ended; .* --resume"):
        _ = run.metrics


@pytest.mark.parametrize("content", ["[]", "null", '"text"'])
def test_a_file_without_a_table_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=r"config\.json is damaged \(it holds no table\)"):
        open_run(tmp_path, "segmentation")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    start(tmp_path)
    (tmp_path / "metrics.json").write_text('{"threshold": 0.')
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        _ = Run(tmp_path).metrics


def test_a_run_without_its_split_is_named(tmp_path: Path) -> None:
    start(tmp_path).splits_path.unlink()
    with pytest.raises(RunError, match=r"splits\.csv can't be read"):
        _ = Run(tmp_path).splits


def test_samples_survive_their_file(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), np.uint8)
    Run(tmp_path).write_samples(calibration=images, validation=images[:1])
    samples = Run(tmp_path).samples
    assert np.array_equal(samples["calibration"], images)
    assert samples["validation"].shape == (1, 4, 5, 3)


@pytest.mark.parametrize(
    ("setting", "then", "now"),
    [
        ("encoder", "mobilenetv2", "resnet18"),
        ("frozen_stride", 0, 8),
        ("source_weights", {}, {"ISIC2018": 2.0}),
    ],
)
def test_a_run_from_before_a_setting_is_resumed_with_what_it_did(
    setting: str, then: Any, now: Any, tmp_path: Path
) -> None:
    train_an_epoch(tmp_path)
    start(tmp_path, settings={**SETTINGS, setting: then}, resume=True)
    with pytest.raises(RunError, match=f"was started with {setting}={then!r}"):
        start(tmp_path, settings={**SETTINGS, setting: now}, resume=True)


def run_of(folder: Path, splits: dict[str, str]) -> Run:
    folder.mkdir()
    table = pd.Series(splits, name="split").rename_axis("image_id").reset_index()
    write_splits(table, Run(folder).splits_path)
    return Run(folder)


def test_a_run_knows_the_images_of_all_runs_before_it(tmp_path: Path) -> None:
    first = run_of(tmp_path / "first", {"a": "train", "b": "test", "c": "test"})
    second = run_of(tmp_path / "second", {"b": "train", "d": "validation"})
    keep_earlier_splits(second, [first])
    third = run_of(tmp_path / "third", {"c": "train", "b": "test"})
    keep_earlier_splits(third, [second, Run(tmp_path / "of-no-images")])
    assert dict(second.all_splits[["image_id", "split"]].to_numpy()) == {
        "a": "train",
        "b": "train",
        "c": "test",
        "d": "validation",
    }
    assert dict(third.all_splits[["image_id", "split"]].to_numpy()) == {
        "a": "train",
        "b": "train",
        "c": "train",
        "d": "validation",
    }
    assert dict(third.splits.to_numpy()) == {"c": "train", "b": "test"}


def test_a_run_that_starts_from_nothing_keeps_no_earlier_images(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"a": "train"})
    keep_earlier_splits(run, [])
    assert not run.earlier_splits_path.exists()
    assert run.all_splits is run.splits


def test_earlier_images_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"a": "train"})
    run.earlier_splits_path.write_text("image_id,split\na,learned\n")
    with pytest.raises(RunError, match=r"earlier-splits\.csv"):
        _ = run.all_splits
