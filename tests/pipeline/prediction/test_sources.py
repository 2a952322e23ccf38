"""Images come one after the other, each with a name and a way to be read."""

import os
import pickle
from pathlib import Path

import pytest

from data.images import ImageError
from pipeline.prediction.sources import ImageFile, stream_sources


def names(paths: list[Path], output: Path | None = None) -> tuple[list[Path], list[Path]]:
    """The names of the images, and the paths that were left out."""
    left_out: list[Path] = []
    return [source.name for source in stream_sources(paths, output, left_out.append)], left_out


def make_files(folder: Path, *files: str) -> None:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def test_what_an_earlier_run_wrote_is_not_among_the_images_of_a_folder(tmp_path: Path) -> None:
    make_files(tmp_path, "a.jpg", "out/crops/a.jpg", "outside/b.jpg")
    found = names([tmp_path], tmp_path / "out")
    assert found == ([tmp_path / "a.jpg", tmp_path / "outside" / "b.jpg"], [])


def test_what_was_named_inside_the_output_is_told(tmp_path: Path) -> None:
    make_files(tmp_path, "a.jpg", "out/crops/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "out")
    given = [
        tmp_path / "a.jpg",
        tmp_path / "out/crops/a.jpg",
        tmp_path / "out" / "crops",
        tmp_path / "link/*/a.jpg",
    ]
    found, left_out = names(given, tmp_path / "out")
    assert found == [tmp_path / "a.jpg"]
    assert left_out == [*given[1:3], tmp_path / "link/crops/a.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_is_no_image_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (source,) = stream_sources([tmp_path], None, pytest.fail)
    with pytest.raises(ImageError, match=r"pipe\.jpg: is a pipe"):
        source.read()


def test_a_source_can_be_sent_to_another_process(tmp_path: Path) -> None:
    source = ImageFile(tmp_path / "a.jpg")
    assert pickle.loads(pickle.dumps(source)) == source
    assert source.read() == tmp_path / "a.jpg"
