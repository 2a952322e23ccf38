"""The examples in docstrings do what they say."""

import doctest
import importlib
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data", "segmentation", "classification", "pipeline")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_do_what_they_say(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that holds the files that they name."""
    example = ROOT / "data" / "examples" / "images" / "drawn_0000001.jpg"
    shutil.copyfile(example, tmp_path / "photo.jpg")
    model = ROOT / "pipeline" / "bundle" / "default" / "segmentation.tflite"
    shutil.copyfile(model, tmp_path / "segmentation.tflite")
    monkeypatch.chdir(tmp_path)

    tested = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)

    assert tested.attempted > 0
    assert tested.failed == 0


def test_the_pipeline_has_an_example() -> None:
    assert "pipeline.prediction.predictor" in MODULES
