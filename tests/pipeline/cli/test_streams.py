"""A command ends well whatever its standard output and standard error are connected to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.files import write_text

SCRIPT = "from pipeline.cli.streams import prepare_streams; prepare_streams(); "


def run(code: str, **settings) -> subprocess.CompletedProcess:
    """A process that prepares its streams first."""
    return subprocess.run([sys.executable, "-c", SCRIPT + code], timeout=60, check=False, **settings)


@pytest.fixture
def photo(tmp_path: Path, draw_disc, write_image) -> Path:
    return write_image(tmp_path / "病变\x1b[31m.png", draw_disc())


def test_a_name_that_the_encoding_lacks_is_escaped() -> None:
    ended = run("print('\\u75c5')", env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"\\u75c5\n", b"")


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_a_closed_stream_goes_nowhere(tmp_path: Path, closed: str) -> None:
    code = f"""import sys
print("lost"); print("lost", file=sys.stderr)
with open({str(tmp_path / "file")!r}, "w") as file: file.write("kept")"""
    ended = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "$1" {closed}', "bash", SCRIPT + code],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0
    assert ended.stdout + ended.stderr == (b"" if closed.count(">") == 2 else b"lost\n")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_reader_that_has_seen_enough_ends_the_command_without_a_word() -> None:
    code = "print('line\\n' * 100_000); print('more'); print('never')"
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT + code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (141, b"")


def test_libraries_warnings_are_kept_from_the_reader() -> None:
    code = "import warnings; warnings.warn('inner matters')"
    assert run(code, capture_output=True).stderr == b""
    env = {**os.environ, "PYTHONWARNINGS": "default"}
    assert b"inner matters" in run(code, env=env, capture_output=True).stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("words", ["predict", "--version"])
def test_a_full_disk_is_named_in_one_sentence(bundle_folder: Path, photo: Path, words: str) -> None:
    arguments = ["predict", str(photo), "--bundle", str(bundle_folder)] if words == "predict" else [words]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("lesion: standard output: No space left on device; check")
    assert ended.stderr.count("\n") == 1


def test_a_name_can_not_colour_the_terminal(tmp_path: Path, bundle_folder: Path) -> None:
    write_text(tmp_path / "\x1b[31m.jpg", "no image")
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "predict", str(tmp_path), "--bundle", str(bundle_folder)],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert b"\x1b" not in ended.stdout + ended.stderr
    assert rb"\x1b[31m.jpg" in ended.stderr
