"""Folders called train and test are a split, and folders with names of one's own are classes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.datasets.catalog import DatasetError, load_dataset
from data.datasets.checking import check_dataset
from data.splits import split_by_lesion, split_dataset


def draw(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(abs(hash(name)) % 2**32).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)


@pytest.fixture
def split_folders(tmp_path: Path) -> Path:
    for part, count in (("train", 12), ("test", 4)):
        for label in ("spitz", "blue"):
            draw(tmp_path, *(f"{part}/{label}/{part}{number}{label}.png" for number in range(count)))
    return tmp_path


def test_train_and_test_folders_are_kept_apart(split_folders: Path) -> None:
    catalog = load_dataset(split_folders)
    splits = split_dataset(catalog).set_index("image_id")["split"]
    assert set(splits[splits.index.str.startswith("test")]) == {"test"}
    assert set(splits[splits.index.str.startswith("train")]) == {"train", "validation"}
    assert splits.eq("validation").sum() < splits.eq("train").sum() / 2
    assert check_dataset(split_folders).own_split == {"train": 24, "test": 8}
    assert "split by its folders: train 24, test 8" in check_dataset(split_folders).to_text()


def test_a_training_image_of_a_tested_lesion_is_left_out(split_folders: Path) -> None:
    catalog = load_dataset(split_folders)
    catalog.loc[catalog["image_id"] == "train0spitz", "lesion_id"] = "test0spitz"
    assert "train0spitz" not in set(split_dataset(catalog)["image_id"])


def test_without_such_folders_the_split_is_one_by_lesion(split_folders: Path) -> None:
    catalog = load_dataset(split_folders).assign(own_split=None)
    pd.testing.assert_frame_equal(split_dataset(catalog, seed=3), split_by_lesion(catalog, seed=3))


def test_images_of_another_source_train(split_folders: Path) -> None:
    catalog = load_dataset(split_folders)
    other = catalog.iloc[:1].assign(image_id="other", lesion_id="other", own_split=None)
    splits = split_dataset(pd.concat([catalog, other], ignore_index=True)).set_index("image_id")["split"]
    assert splits["other"] in {"train", "validation"}


def test_folders_with_names_of_ones_own_are_classes(split_folders: Path) -> None:
    assert set(load_dataset(split_folders)["dx"]) == {"spitz", "blue"}
    assert set(load_dataset(split_folders / "train")["dx"]) == {"spitz", "blue"}


def test_a_folder_of_images_among_others_is_no_class(tmp_path: Path) -> None:
    draw(tmp_path, "images/a.png", "more/b.png")
    with pytest.raises(DatasetError, match="no dataset of a known layout"):
        load_dataset(tmp_path)
