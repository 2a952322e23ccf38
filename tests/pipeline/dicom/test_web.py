"""A real Orthanc, with TLS and a password, keeps and gives back what is sent to it."""

import json
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from pydicom import dcmread
from typer.testing import CliRunner

from pipeline.cli import lesion as cli
from pipeline.dicom.folder import DicomFolder
from pipeline.dicom.reading import FrameSource
from pipeline.dicom.web import Pacs, WebError

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "lesion", "a word"


@dataclass(frozen=True)
class Orthanc:
    """A running server: its address, and the certificate to trust."""

    address: str
    certificate: Path

    @property
    def dicomweb(self) -> str:
        return f"{self.address}/dicom-web"

    def ask(self, path: str) -> requests.Response:
        return requests.get(
            f"{self.address}{path}", auth=(USER, PASSWORD), verify=str(self.certificate), timeout=30
        )


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory) -> Iterator[Orthanc]:
    """Orthanc with DICOMweb on 127.0.0.1 behind a tunnel of TLS; skips where it is not installed."""
    if not (shutil.which("Orthanc") and PLUGIN.exists() and shutil.which("openssl")):
        pytest.skip("orthanc, orthanc-dicomweb or openssl is not installed")
    folder = tmp_path_factory.mktemp("orthanc")
    port = free_port()
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    certificate, key = make_certificate(folder)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["Orthanc", folder / "orthanc.json"], stdout=log, stderr=log)
    try:
        with tunnel(certificate, key, port) as outside:
            running = Orthanc(f"https://127.0.0.1:{outside}", certificate)
            wait_for(running, server, folder / "log")
            yield running
    finally:
        server.terminate()
        server.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return certificate, key


@contextmanager
def tunnel(certificate: Path, key: Path, port: int) -> Iterator[int]:
    """TLS in front of a port of this machine, as a hospital's proxy gives it: Debian's Orthanc falls over its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Tunnel(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as outside,
                socket.create_connection(("127.0.0.1", port)) as inside,
            ):
                answers = threading.Thread(target=pour, args=(inside, outside), daemon=True)
                answers.start()
                pour(outside, inside)
                answers.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Tunnel) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def wait_for(running: Orthanc, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        try:
            if running.ask("/system").ok:
                return
        except requests.exceptions.ConnectionError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"Orthanc does not start: {log.read_text()[-2000:]}")


@pytest.fixture
def environment(orthanc, monkeypatch, tmp_path) -> pytest.MonkeyPatch:
    """The environment of a user who may use the server."""
    monkeypatch.setenv("NETRC", str(tmp_path / "no netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(orthanc.certificate))
    monkeypatch.setenv("DICOMWEB_USER", USER)
    monkeypatch.setenv("DICOMWEB_PASSWORD", PASSWORD)
    monkeypatch.delenv("DICOMWEB_TOKEN", raising=False)
    return monkeypatch


@pytest.fixture
def pacs(orthanc, environment) -> Pacs:  # noqa: ARG001 - the environment is asked when it is made
    return Pacs(orthanc.dicomweb)


def test_results_go_into_the_study_of_their_photograph(orthanc, pacs, pipeline, photograph, tmp_path):
    source = FrameSource(photograph)
    DicomFolder(tmp_path / "results").write("scan", source, pipeline.predict(source.read()), pipeline)
    results = sorted((tmp_path / "results").glob("*.dcm"))

    assert [error for _, error in pacs.send([photograph, *results])] == [None] * 4
    study = find_study(orthanc, dcmread(photograph).StudyInstanceUID)
    series = [orthanc.ask(f"/series/{name}").json()["MainDicomTags"] for name in study["Series"]]
    assert sorted(one["Modality"] for one in series) == ["DMS", "OT", "SEG", "SR"]
    assert study["PatientMainDicomTags"]["PatientID"] == dcmread(photograph).PatientID


def find_study(orthanc: Orthanc, uid: str) -> dict:
    for name in orthanc.ask("/studies").json():
        study = orthanc.ask(f"/studies/{name}").json()
        if study["MainDicomTags"]["StudyInstanceUID"] == uid:
            return study
    pytest.fail(f"Orthanc holds no study {uid}")


def test_orthanc_draws_what_was_written(orthanc, pacs, pipeline, photograph, tmp_path):
    source = FrameSource(photograph)
    DicomFolder(tmp_path / "results").write("scan", source, pipeline.predict(source.read()), pipeline)
    assert all(error is None for _, error in pacs.send((tmp_path / "results").glob("*_s[ec]*.dcm")))

    study = find_study(orthanc, dcmread(photograph).StudyInstanceUID)
    for series in study["Series"]:
        (instance,) = orthanc.ask(f"/series/{series}").json()["Instances"]
        preview = orthanc.ask(f"/instances/{instance}/preview")
        assert preview.headers["Content-Type"] == "image/png" and len(preview.content) > 200


def test_a_study_is_found_and_its_photographs_come_back_as_they_were(pacs, pipeline, photograph, tmp_path):
    original = dcmread(photograph)
    source = FrameSource(photograph)
    DicomFolder(tmp_path / "results").write("scan", source, pipeline.predict(source.read()), pipeline)
    assert all(error is None for _, error in pacs.send([photograph, tmp_path / "results" / "scan_sr.dcm"]))

    assert original.StudyInstanceUID in pacs.studies(date="20260101-20260103")
    assert original.StudyInstanceUID in pacs.studies(accession=original.AccessionNumber)
    assert pacs.studies(accession="unheard of") == []
    (fetched,) = pacs.fetch(original.StudyInstanceUID, tmp_path / "fetched")
    assert fetched.name == f"{original.SOPInstanceUID}.dcm"
    assert dcmread(fetched).PatientName == original.PatientName
    assert (FrameSource(fetched).read() == source.read()).all()


@pytest.mark.usefixtures("environment")
def test_the_commands_go_from_the_photograph_in_the_pacs_and_back(orthanc, photograph, tmp_path, said_of):
    def lesion(*arguments):
        return CliRunner().invoke(cli.app, ["dicom", *map(str, arguments)])

    study = dcmread(photograph).StudyInstanceUID
    sent = lesion("send", orthanc.dicomweb, photograph)
    found = lesion("find", orthanc.dicomweb, "--date", "20260102")
    fetched = lesion("fetch", orthanc.dicomweb, "--study", study, "--output", tmp_path / "fetched")

    assert (sent.exit_code, sent.stdout) == (0, "1 of 1 files stored\n")
    assert found.exit_code == 0 and study in found.stdout.splitlines()
    assert (fetched.exit_code, fetched.stdout) == (0, f"{study}: 1 photographs\n")
    assert [path.name for path in (tmp_path / "fetched").iterdir()] == [
        f"{dcmread(photograph).SOPInstanceUID}.dcm"
    ]
    assert said_of((sent.output + found.output + fetched.output).encode()) == []


def test_a_file_that_can_not_be_sent_is_told_and_the_others_are_stored(pacs, photograph, tmp_path):
    (tmp_path / "letter.dcm").write_text("no DICOM file" * 20)
    outcomes = list(pacs.send([tmp_path / "letter.dcm", photograph]))

    assert "is no DICOM file" in str(outcomes[0][1])
    assert outcomes[1] == (photograph, None)


def test_wrong_credentials_are_told_in_a_sentence(orthanc, environment):
    environment.setenv("DICOMWEB_PASSWORD", "wrong")
    with pytest.raises(WebError, match=r"refuses the credentials \(401\)"):
        Pacs(orthanc.dicomweb).studies()


def test_credentials_may_stand_in_the_users_netrc(orthanc, environment, tmp_path):
    environment.delenv("DICOMWEB_USER")
    (tmp_path / "netrc").write_text(f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n')
    environment.setenv("NETRC", str(tmp_path / "netrc"))
    assert isinstance(Pacs(orthanc.dicomweb).studies(), list)


def test_a_certificate_that_is_not_trusted_is_refused(orthanc, environment):
    environment.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(WebError, match="the certificate is not trusted"):
        Pacs(orthanc.dicomweb).studies()


def test_nothing_goes_out_in_the_open_or_with_a_password_in_the_address():
    with pytest.raises(WebError, match="without encryption"):
        Pacs("http://pacs.example/dicom-web")
    with pytest.raises(WebError, match="credentials in an address") as caught:
        Pacs("https://me:secret@pacs.example/dicom-web")
    assert "secret" not in str(caught.value)
    for nonsense in ("pacs.example", "ftp://pacs.example", "https://pacs.example:port"):
        with pytest.raises(WebError, match="is no address"):
            Pacs(nonsense)
    assert Pacs("http://pacs.example/dicom-web", without_tls=True).url


def test_a_service_that_does_not_run_is_told(monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with pytest.raises(WebError, match="can't be reached"):
        Pacs(f"http://127.0.0.1:{free_port()}").studies()
