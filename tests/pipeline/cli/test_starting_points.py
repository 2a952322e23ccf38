"""What a training says of the network that it starts from."""

from pathlib import Path

import pandas as pd
import pytest

from data.splits import write_splits
from pipeline.cli.starting_points import tell_learned_tests
from segmentation.engine.run_folder import Run


def run_with(folder: Path, **parts: str) -> Run:
    """A run whose split has these images, by the name of their part."""
    rows = [(image, name) for name, images in parts.items() for image in images.split()]
    folder.mkdir()
    write_splits(pd.DataFrame(rows, columns=["image_id", "split"]), Run(folder).splits_path)
    return Run(folder)


def test_test_images_that_taught_the_start_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    start = run_with(tmp_path / "start", train="a b", validation="c", test="d e")
    tell_learned_tests(start, [run_with(tmp_path / "new", train="a e", test="b c d new")])
    assert f"2 of the 4 test images taught {start.folder}" in capsys.readouterr().err


def test_a_start_with_the_same_test_images_is_not_spoken_of(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    start = run_with(tmp_path / "start", train="a b", test="d")
    tell_learned_tests(start, [run_with(tmp_path / "new", train="a b", test="d")])
    tell_learned_tests(Run(tmp_path / "nothing"), [start])
    assert capsys.readouterr().err == ""
