"""Two processes don't work in one folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from data.locking import BusyError, alone_in

ROOT = Path(__file__).parents[2]
TRY = "import sys; from data.locking import alone_in\nwith alone_in(sys.argv[1]): print('alone')"


def other_process(folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", TRY, str(folder)], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_a_second_process_is_told_of_the_first(tmp_path: Path) -> None:
    with alone_in(tmp_path / "run"):
        refused = other_process(tmp_path / "run")
        assert "BusyError" in refused.stderr
        assert "run: another process works in this folder" in refused.stderr
    assert other_process(tmp_path / "run").stdout == "alone\n"
    assert list((tmp_path / "run").iterdir()) == []


def test_the_folder_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path):
        _ = 1 / 0
    with alone_in(tmp_path), pytest.raises(BusyError), alone_in(tmp_path):
        pass
