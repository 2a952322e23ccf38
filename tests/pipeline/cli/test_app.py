"""`lesion app` up to the moment at which it serves."""

import os
import socket
import subprocess
import sys

import pytest

pytest.importorskip("streamlit")

from pipeline.app.serving import own_address
from pipeline.app.settings import Place, streamlit_settings


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
    settings = streamlit_settings(Place())

    assert settings["server.address"] == "127.0.0.1"
    assert settings["browser.gatherUsageStats"] is False
    assert "localhost" in settings["server.allowedHosts"]
    assert "server.allowedHosts" not in streamlit_settings(Place("0.0.0.0"))


def test_a_certificate_alone_is_refused(tmp_path):
    pytest.importorskip("streamlit")
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("")
    finished = lesion_app("--certificate", certificate)

    assert finished.returncode == 2
    assert finished.stderr == "lesion: --certificate and --key go together; give both, or neither.\n"


def test_an_address_for_others_names_this_machine_and_not_all_of_its_addresses():
    assert Place("0.0.0.0", 80).address(own_address("0.0.0.0")) not in {"http://0.0.0.0:80", "http://:80"}
    assert Place("::1", 80).address(own_address("::1")) == "http://[::1]:80"


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
