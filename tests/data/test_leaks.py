"""A split that was given is believed only where it keeps apart what belongs together."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.datasets.errors import DatasetError, DatasetWarning
from data.leaks import check_leaks, seen_lesions, splits_for, splits_of_images, warn_of_near_duplicates
from data.splits import read_splits, training_parts

CATALOG = pd.DataFrame(
    {"image_id": ["a1", "a2", "b", "c1", "c2", "d"], "lesion_id": ["A", "A", "B", "C", "C", "D"]}
)


def splits(**parts: str) -> pd.DataFrame:
    return pd.DataFrame({"image_id": list(parts), "split": list(parts.values())})


def test_a_lesion_in_two_parts_is_refused_by_its_name_and_images() -> None:
    given = splits(a1="train", a2="validation", b="train", c1="test", c2="validation", d="test")
    with pytest.raises(DatasetError) as caught:
        check_leaks(CATALOG, given)
    for part in ("A (a1 in train, a2 in validation)", "C (c1 in test, c2 in validation)", "one part"):
        assert part in str(caught.value)
    assert "B" not in str(caught.value).replace("be", "")


def test_of_many_leaking_lesions_three_are_named_and_the_rest_counted() -> None:
    images = [f"{lesion}{number}" for lesion in "abcdefg" for number in (1, 2)]
    catalog = pd.DataFrame({"image_id": images, "lesion_id": [image[0] for image in images]})
    given = splits(**{image: ("train" if image.endswith("1") else "test") for image in images})
    with pytest.raises(DatasetError, match="and 4 more; keep"):
        check_leaks(catalog, given)


def test_a_leak_is_seen_through_other_letters_and_suffixes() -> None:
    with pytest.raises(DatasetError, match=r"A \(a1 in train, a2 in test\)"):
        check_leaks(CATALOG, pd.DataFrame({"image_id": ["A1.JPG", "x/a2"], "split": ["train", "test"]}))


def test_a_split_by_lesion_is_believed_and_images_that_it_does_not_list_do_not_count() -> None:
    check_leaks(CATALOG, splits(a1="train", a2="train", b="validation", c1="test"))


def test_a_training_refuses_a_leaking_split() -> None:
    with pytest.raises(DatasetError, match="same lesion in several parts"):
        training_parts(CATALOG, splits(a1="train", a2="validation", b="validation"), "mask")


def test_images_are_found_by_their_ids_in_any_letters_and_keep_the_catalogs() -> None:
    given = pd.DataFrame({"image_id": ["A1.png", "b", "C1"], "split": ["train", "validation", "test"]})
    assert list(splits_of_images(CATALOG["image_id"], given)) == [
        "train",
        None,
        "validation",
        "test",
        None,
        None,
    ]
    kept = splits_for(CATALOG, given)
    assert kept.to_dict("list") == {
        "image_id": ["a1", "b", "c1"],
        "split": ["train", "validation", "test"],
        "lesion_id": ["A", "B", "C"],
    }


def test_near_duplicates_in_two_parts_are_warned_of() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 256, (6, 32), dtype=np.uint8)
    given = splits(a1="train", a2="train", b="train", c1="test", c2="test", d="validation")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_near_duplicates(CATALOG, given, hashes)
    hashes[3] = hashes[2]
    with pytest.warns(DatasetWarning, match="look alike in different parts: b in train and c1 in test;"):
        warn_of_near_duplicates(CATALOG, given, hashes)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("image_id,split\nA,train\na,test\n", "lists a twice"),
        ("image_id,split\n,train\n", "without an image_id"),
        ("image_id,split\na,\n", "empty"),
        ("image_id,split\na,dev\n", "other than train, validation, test: dev"),
        ("image,part\na,train\n", "lacks the columns"),
        ("", "can't be read as a split"),
    ],
)
def test_a_file_that_is_no_split_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "splits.csv").write_text(content)
    with pytest.raises(DatasetError, match=reason):
        read_splits(tmp_path / "splits.csv")


def test_of_three_leaking_lesions_none_is_only_counted() -> None:
    images = [f"{lesion}{number}" for lesion in "abc" for number in (1, 2)]
    catalog = pd.DataFrame({"image_id": images, "lesion_id": [image[0] for image in images]})
    given = splits(**{image: ("train" if image.endswith("1") else "test") for image in images})
    with pytest.raises(DatasetError, match=r"c \(c1 in train, c2 in test\); keep"):
        check_leaks(catalog, given)


def test_a_lesion_was_seen_if_any_of_its_images_served_training_or_validation() -> None:
    given = splits(a1="train", b="test", c2="validation")
    assert seen_lesions(CATALOG, given).tolist() == [True, True, False, True, True, False]
    assert not seen_lesions(CATALOG, None).any()
    with_lesions = pd.DataFrame({"image_id": ["x", "y"], "split": ["train", "test"], "lesion_id": ["d", "b"]})
    assert seen_lesions(CATALOG, with_lesions).tolist() == [False] * 5 + [True]
