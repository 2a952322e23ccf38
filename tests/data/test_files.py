"""A reader finds the old content or the new one, and nothing in between."""

import hashlib
from pathlib import Path

import pytest

from data.files import replacing, replacing_folder, sha256, write_text


class Interruption(BaseException):
    """As Ctrl-C is one."""


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("old")
    with replacing(file) as temporary:
        temporary.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"


def test_a_broken_off_file_leaves_the_old_one_and_no_rest(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("old")
    with pytest.raises(Interruption), replacing(file) as temporary:
        temporary.write_text("ha")
        raise Interruption
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_temporary_file_has_the_suffix_by_which_writers_choose_the_format(tmp_path: Path) -> None:
    with replacing(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        assert temporary.parent == tmp_path


def test_folders_above_a_file_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "note.txt", "naïve\n")
    assert (tmp_path / "a" / "b" / "note.txt").read_bytes() == "naïve\n".encode()


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "old").touch()
    with replacing_folder(folder) as temporary:
        (temporary / "new").touch()
        assert (folder / "old").exists()
    assert [file.name for file in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_broken_off_folder_leaves_the_old_one_and_no_rest(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(Interruption), replacing_folder(folder) as temporary:
        (temporary / "new").touch()
        raise Interruption
    assert [file.name for file in folder.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"lesion")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"lesion").hexdigest()
