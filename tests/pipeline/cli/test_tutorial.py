"""The tutorial's commands work as they stand, one after the other."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial.md"


def commands() -> list[str]:
    """The lines of the tutorial's boxes that are meant to be run here."""
    blocks = re.findall(r"^```sh\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def test_the_tutorial_ends_with_predictions_of_a_bundle_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    from pipeline.cli.lesion import app  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    for command in commands():
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}\n{result.output}\n{result.exception!r}"
    assert len(Path("results/predictions.csv").read_text(encoding="utf-8").splitlines()) == 61
    assert "The worst errors" in Path("report/report.html").read_text(encoding="utf-8")
