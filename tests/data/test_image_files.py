"""Only regular files are read, whole and once; all else is refused at once."""

import io
import os
from pathlib import Path

import pytest

from data.images import ImageError, read_image

posix_only = pytest.mark.skipif(os.name != "posix", reason="made by POSIX")


@posix_only
def test_a_pipe_that_nobody_writes_to_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="is a pipe, a socket or a device"):
        read_image(tmp_path / "pipe.png")


@posix_only
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(device: str) -> None:
    with pytest.raises(ImageError, match="is a pipe, a socket or a device"):
        read_image(device)


@posix_only
def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(ImageError, match="link that leads back to itself"):
        read_image(tmp_path / "loop.png")


def test_a_name_that_is_too_long_or_no_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="too long"):
        read_image(tmp_path / ("a" * 300 + ".png"))
    with pytest.raises(ImageError, match="is no path"):
        read_image("a\0b.png")
    with pytest.raises(ImageError, match="no such file"):
        read_image(Path(__file__) / "below_a_file.png")


def test_a_read_error_after_opening_is_an_image_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(io.FileIO):
        def read(self, *_: object) -> bytes:
            raise OSError(5, "Input/output error")

    (tmp_path / "a.png").write_bytes(b"content")
    monkeypatch.setattr(os, "fdopen", lambda handle, _mode: Failing(handle))
    with pytest.raises(ImageError, match=r"a\.png: can't be read \(Input/output error\); check the path and"):
        read_image(tmp_path / "a.png")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.tif").open("wb") as file:
        file.write(b"II*\0")
        file.truncate(2_000_000_000)
    with pytest.raises(ImageError, match="2000 MB are more than the 400 MB that are read"):
        read_image(tmp_path / "huge.tif")
