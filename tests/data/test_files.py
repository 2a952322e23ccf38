"""A reader finds the old content or the new one, and nothing in between."""

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.files import remove_leftovers, replacing, replacing_folder, sha256, write_text

ROOT = Path(__file__).parents[2]


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


@pytest.fixture
def dead_process() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, signal
from data.files import replacing
with replacing(pathlib.Path({str(tmp_path)!r}) / "table.csv"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False, cwd=ROOT)
    assert len(list(tmp_path.iterdir())) == 1
    subprocess.run(
        [sys.executable, "-c", script.replace("os.kill(os.getpid(), signal.SIGKILL)", "pass")],
        check=True,
        cwd=ROOT,
    )
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_what_a_living_process_or_another_machine_writes_stays(tmp_path: Path, dead_process: int) -> None:
    living, ours = tmp_path / f".lesion-00000000-{dead_process}-abc.csv", tmp_path / ".mine-1-abc.csv"
    ours.touch()
    living.touch()
    with replacing(tmp_path / "table.csv") as temporary:
        remove_leftovers(tmp_path)
        assert {file.name for file in tmp_path.iterdir()} == {living.name, ours.name, temporary.name}


def test_a_folder_that_a_kill_left_without_its_name_gets_it_back(tmp_path: Path, dead_process: int) -> None:
    with replacing_folder(tmp_path / "other") as temporary:
        machine = temporary.name.split("-")[1]
    retired = tmp_path / f".lesion-{machine}-{dead_process}-abc-old-my-bundle"
    retired.mkdir()
    (retired / "kept").touch()
    remove_leftovers(tmp_path)
    assert (tmp_path / "my-bundle" / "kept").exists()
    (tmp_path / "my-bundle").rename(retired)
    (tmp_path / "my-bundle").mkdir()
    remove_leftovers(tmp_path)
    assert not retired.exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells so")
def test_what_a_process_left_is_removed_before_its_parent_has_noticed_its_end(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, signal
from data.files import replacing
with replacing(pathlib.Path({str(tmp_path)!r}) / "table.csv"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert len(list(tmp_path.iterdir())) == 1
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())
    process.wait()


def test_an_error_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as error, replacing(tmp_path / "table.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(tmp_path / "table.csv")


def test_a_long_name_has_room_for_its_temporary(tmp_path: Path) -> None:
    write_text(tmp_path / f"{'n' * 251}.txt", "whole")
    assert [len(file.name) for file in tmp_path.iterdir()] == [255]
