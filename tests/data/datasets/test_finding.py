"""Paths, folders and globs become a list of images, each once."""

from pathlib import Path

from data.datasets.finding import find_images


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
