"""A bundle is judged on images whose lesions it has not seen, unless the user says otherwise."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from data.datasets.catalog import DatasetError
from pipeline.evaluation.selection import select_split

# Two images of lesion A, and one of each other lesion.
CATALOG = pd.DataFrame({"image_id": ["a1", "a2", "b", "c", "new"], "lesion_id": ["A", "A", "B", "C", "N"]})


@pytest.fixture
def bundle(tmp_path: Path) -> SimpleNamespace:
    """A bundle that was trained on the first image of A, chosen on B and tested on C."""
    path = tmp_path / "splits.csv"
    path.write_text("image_id,split\na1,train\nb,validation\nc,test\n")
    return SimpleNamespace(name="drawn", splits_path=path)


def test_images_of_lesions_that_the_bundle_has_seen_are_left_out(bundle: SimpleNamespace) -> None:
    selection = select_split(CATALOG, bundle)

    assert list(selection.catalog["image_id"]) == ["c", "new"]
    assert list(selection.catalog.index) == [0, 1]
    assert "2 of 5" in selection.note
    assert "3 left out" in selection.note


def test_all_images_can_be_asked_for_and_the_note_says_that_this_flatters(bundle: SimpleNamespace) -> None:
    selection = select_split(CATALOG, bundle, split="all")

    assert len(selection.catalog) == 5
    assert "trained or chosen on 3 of them" in selection.note


def test_a_split_of_the_bundle_can_be_asked_for_by_name(bundle: SimpleNamespace) -> None:
    assert list(select_split(CATALOG, bundle, split="validation").catalog["image_id"]) == ["b"]


def test_a_split_file_takes_the_place_of_the_bundles_split(bundle: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("image_id,split\na2,test\nc,test\nb,train\n")

    selection = select_split(CATALOG, bundle, splits_file=path)

    assert list(selection.catalog["image_id"]) == ["a2", "c"]
    assert "trained or chosen on 1 of them" in selection.note


def test_without_a_recorded_split_all_images_are_scored_and_the_note_says_so() -> None:
    selection = select_split(CATALOG, SimpleNamespace(name="drawn", splits_path=None))

    assert len(selection.catalog) == 5
    assert "does not record" in selection.note


def test_a_split_that_is_not_recorded_can_not_be_chosen() -> None:
    with pytest.raises(DatasetError, match="records no split"):
        select_split(CATALOG, SimpleNamespace(name="drawn", splits_path=None), split="validation")


def test_a_selection_without_images_is_refused(bundle: SimpleNamespace) -> None:
    with pytest.raises(DatasetError, match="no image is left"):
        select_split(CATALOG.head(2), bundle)


@pytest.mark.parametrize("spelling", ["{}.jpg", "benign/{}", "BENIGN/{}.PNG", "benign\\{}.jpg"])
def test_an_image_is_known_in_other_letters_and_folders(bundle: SimpleNamespace, spelling: str) -> None:
    ids = [spelling.format(name.upper()) for name in CATALOG["image_id"]]
    catalog = CATALOG.assign(image_id=ids)

    selection = select_split(catalog, bundle)

    assert list(selection.catalog["image_id"]) == [ids[3], ids[4]]
    assert "3 left out" in selection.note


def test_images_of_equal_names_in_other_folders_are_told_apart_where_the_bundle_does(tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    path.write_text("image_id,split\nbenign/7,train\nmalignant/7,test\nmalignant/8,validation\n")
    ids = ["Benign/7", "malignant/7", "malignant/8"]
    catalog = pd.DataFrame({"image_id": ids, "lesion_id": ids})
    selection = select_split(catalog, SimpleNamespace(name="drawn", splits_path=path))
    assert list(selection.catalog["image_id"]) == ["malignant/7"]


def test_another_image_of_a_lesion_that_was_trained_on_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    path.write_text("image_id,split,lesion_id\nold,train,n\nolder,test,C\n")
    selection = select_split(CATALOG, SimpleNamespace(name="drawn", splits_path=path))
    assert list(selection.catalog["image_id"]) == ["a1", "a2", "b", "c"]


def test_a_split_file_with_a_lesion_in_two_parts_is_refused(bundle: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("image_id,split\na1,train\na2,test\nc,test\n")
    with pytest.raises(DatasetError, match=r"several parts: A \(a1 in train, a2 in test\); keep all images"):
        select_split(CATALOG, bundle, splits_file=path)
