"""Paths, folders and globs become a list of images, each once."""

import os
from pathlib import Path

import pytest

from data.datasets.finding import find_images, stream_images


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_folders_files_and_globs_become_a_list_of_images(tmp_path: Path) -> None:
    make_files(
        tmp_path, "b.JPG", "a.png", "sub/c.tiff", "sub/notes.txt", "._a.png", "__MACOSX/a.png", ".git/x.png"
    )
    folder = [tmp_path / name for name in ("a.png", "b.JPG", "sub/c.tiff")]
    assert find_images([tmp_path]) == folder
    assert find_images([str(tmp_path)]) == folder
    assert find_images([tmp_path / "*.png", tmp_path]) == folder
    assert find_images([tmp_path / "**" / "*.tiff"]) == [tmp_path / "sub/c.tiff"]


def test_a_dataset_stands_for_its_images_without_the_masks(tmp_path: Path) -> None:
    make_files(tmp_path, "images/a.jpg", "masks/a_segmentation.png", "masks/b.png", "c.jpg", "c_mask.png")
    assert find_images([tmp_path]) == [tmp_path / "c.jpg", tmp_path / "images/a.jpg"]


def test_a_folder_of_masks_that_is_named_stands_for_what_does_not_look_like_one(tmp_path: Path) -> None:
    make_files(tmp_path, "masks/a_segmentation.png", "masks/b.png")
    assert find_images([tmp_path / "masks"]) == [tmp_path / "masks/b.png"]


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    make_files(tmp_path, "store/a.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "linked").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "loop").symlink_to(tmp_path / "photos")
    assert find_images([tmp_path / "photos"]) == [tmp_path / "photos" / "linked" / "a.png"]


def test_a_path_that_is_named_is_always_taken(tmp_path: Path) -> None:
    make_files(tmp_path, "scan[1].dat", "a_mask.png")
    named = [
        tmp_path / "scan[1].dat",
        tmp_path / "a_mask.png",
        tmp_path / "missing.jpg",
        tmp_path / "none*.png",
    ]
    assert find_images(named) == named


def test_images_that_were_given_twice_come_once(tmp_path: Path) -> None:
    make_files(tmp_path, "a.jpg", "sub/b.jpg", "masks/c.jpg")
    given = [
        tmp_path / "sub" / "b.jpg",
        tmp_path,
        tmp_path / "sub",
        tmp_path / "a.jpg",
        tmp_path / "masks" / "c.jpg",
    ]
    assert find_images(given) == [
        tmp_path / "sub" / "b.jpg",
        tmp_path / "a.jpg",
        tmp_path / "masks" / "c.jpg",
    ]


def test_a_large_folder_is_sorted_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number * 7919 % 997} ä\n.jpg" for number in range(50)]
    make_files(tmp_path, *names, "sub/a.jpg")
    monkeypatch.setattr("data.datasets.walking.MOST_NAMES", 8)
    assert find_images([tmp_path]) == [tmp_path / name for name in [*sorted(names), "sub/a.jpg"]]


def test_images_come_before_all_folders_were_searched(tmp_path: Path) -> None:
    make_files(tmp_path, "1/a.jpg", "2/b.jpg")
    images = stream_images([tmp_path])
    assert next(images) == tmp_path / "1" / "a.jpg"
    (tmp_path / "2" / "b.jpg").rename(tmp_path / "2" / "c.jpg")
    assert next(images) == tmp_path / "2" / "c.jpg"


def test_a_folder_that_cant_be_listed_stands_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path, "a.png", "closed/b.png")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert find_images([tmp_path]) == [tmp_path / "a.png", tmp_path / "closed"]
