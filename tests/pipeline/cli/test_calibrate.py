"""`lesion calibrate`: what it sets is told, and mistakes are one line."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.bundle.loading import load_bundle
from pipeline.cli import lesion as cli
from pipeline.export.odds import odds_of


@pytest.fixture
def lesion(drawn_catalog: pd.DataFrame, trained_bundle: Path, tmp_path: Path):
    """A function (options) that calibrates a copy of the trained bundle, `tmp_path / "bundle"`."""
    bundle = shutil.copytree(trained_bundle, tmp_path / "bundle")
    dataset = Path(drawn_catalog["image_path"].iloc[0]).parents[1]
    command = ["calibrate", str(dataset), "--bundle", str(bundle), "--most", "20"]
    return lambda *options: CliRunner().invoke(cli.app, [*command, *options])


def test_odds_are_raised_told_and_stand_on_the_card(
    lesion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["lesion", "calibrate", "/home/me/HAM10000", "--odds", "mel=2.5"])
    bundle = load_bundle(tmp_path / "bundle")
    name = bundle.classes[0]
    result = lesion("--odds", f"{name}=2.5", "--name", "fewer missed")
    assert result.exit_code == 0, result.output
    assert f"odds: recall of {name} " in result.stdout
    assert odds_of(bundle) == {name: 2.5}
    assert load_bundle(bundle.folder).name == "fewer missed"
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "were multiplied by 2.5" in card and "lesion calibrate HAM10000 --odds mel=2.5" in card


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--odds", "mel:2"], "mel:2: write CLASS=FACTOR"),
        (["--odds", "unicorn=2"], "has no class unicorn"),
    ],
)
def test_a_wrong_factor_is_one_line_and_leaves_the_bundle(lesion, tmp_path: Path, options, message) -> None:
    before = (tmp_path / "bundle" / "bundle.json").read_bytes()
    result = lesion(*options)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr
    assert (tmp_path / "bundle" / "bundle.json").read_bytes() == before


def test_a_folder_without_photographs_is_named_before_anything_is_done(lesion, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = lesion("--unlike", str(tmp_path / "empty"), "--odds", "mel=2")
    assert result.exit_code == 2
    assert "holds no images; name a folder of photographs" in result.stderr
