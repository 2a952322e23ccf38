"""`lesion app` up to the moment at which it serves."""

import os
import socket
import subprocess
import sys

import pytest

from pipeline.app.settings import streamlit_options


def lesion_app(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "app", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | environment,
    )


def test_it_says_which_extra_is_missing(tmp_path):
    (tmp_path / "streamlit.py").write_text("raise ModuleNotFoundError('No module', name='streamlit')")
    finished = lesion_app(PYTHONPATH=str(tmp_path))

    assert finished.returncode == 2
    assert finished.stderr == (
        "lesion: this needs streamlit, which is not installed; run in the folder of the software: "
        "pip install -c constraints.txt '.[app]'\n"
    )


def test_a_folder_that_is_no_bundle_is_a_line(tmp_path):
    pytest.importorskip("streamlit")
    finished = lesion_app("--bundle", tmp_path)

    assert finished.returncode == 2
    assert finished.stderr.startswith(f"lesion: {tmp_path}: holds no bundle.json")
    assert finished.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_a_line():
    pytest.importorskip("streamlit")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = lesion_app("--port", port)

    assert finished.returncode == 2
    assert finished.stderr.startswith(f"lesion: 127.0.0.1:{port}: ")
    assert finished.stderr.endswith("give another --host or --port.\n")


def test_the_page_stays_on_this_computer_and_reports_to_nobody():
    options = streamlit_options("127.0.0.1", 8501)

    assert {
        "--server.address=127.0.0.1",
        "--browser.gatherUsageStats=false",
        "--server.headless=true",
    } <= set(options)
    assert "--server.allowedHosts=localhost" in options
    assert not any("allowedHosts" in option for option in streamlit_options("0.0.0.0", 8501))
    assert not any("http" in option for option in options)


def test_the_page_does_without_tensorflow():
    pytest.importorskip("streamlit")
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import pipeline.app.images_page, pipeline.app.model_page, sys; assert 'tensorflow' not in sys.modules",
        ],
        check=True,
        capture_output=True,
    )
