"""`import lesion` gives the names that a program needs, and says which file of the program hides a package."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder that holds Lesion's packages as an installation has them."""
    folder = tmp_path / "site"
    folder.mkdir()
    for room in ("data", "segmentation", "classification", "pipeline"):
        (folder / room).symlink_to(ROOT / room)
    (folder / "lesion").symlink_to(ROOT / "pipeline" / "lesion")
    return folder


def run(installed: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env={"PYTHONPATH": str(installed), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_pipeline_comes_by_the_name_of_the_package(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-c", "from lesion import LesionPipeline; print(LesionPipeline.__name__)")
    assert done.stdout == "LesionPipeline\n", done.stderr


def test_a_file_that_hides_a_package_is_named(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("mine = 1\n")
    (tmp_path / "script.py").write_text("from lesion import LesionPipeline\n")
    done = run(installed, tmp_path, "script.py")
    assert f"{tmp_path / 'data.py'} hides Lesion's package data; rename it" in done.stderr


def test_the_command_runs_beside_a_file_that_hides_a_package(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("raise RuntimeError\n")
    done = run(installed, tmp_path, "-m", "lesion", "--help")
    assert done.returncode == 0, done.stderr
    assert "predict" in done.stdout
