import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.bundle.loading import load_bundle
from pipeline.cli.lesion import app
from pipeline.web.writing import HERE, SiteError, write_site

RUNTIME = "litert_wasm_compat_internal"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "site"
    write_site(load_bundle(), folder)
    return folder


def release(site) -> dict:
    return json.loads((site / "release.js").read_text().removeprefix("self.RELEASE = ").removesuffix(";\n"))


def test_the_release_names_every_file_that_a_browser_needs_with_its_digest(site):
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    kept = release(site)["files"]

    assert set(files) - set(kept) == {"_headers", "release.js", "service-worker.js"}
    for name, integrity in kept.items():
        digest = hashlib.sha256(files[name].read_bytes()).digest()
        assert integrity == f"sha256-{base64.b64encode(digest).decode()}"


def test_the_same_bundle_makes_the_same_release_and_another_makes_another(site, tmp_path):
    write_site(load_bundle(), tmp_path / "page")
    assert release(tmp_path / "page") == release(site)

    write_site(replace(load_bundle(), name="another"), tmp_path / "page")
    assert release(tmp_path / "page")["version"] != release(site)["version"]


def test_the_models_are_the_bundles(site):
    bundle = load_bundle()
    constants = json.loads((site / "constants.json").read_text())
    for stage, path in [
        ("segmentation", bundle.segmentation_path),
        ("classification", bundle.classification_path),
    ]:
        assert (site / constants["models"][stage]["file"]).read_bytes() == path.read_bytes()
    assert [each["code"] for each in constants["classes"]] == list(bundle.classes)
    assert len(constants["viridis"]) == 256


def test_no_file_of_the_page_names_a_foreign_host_to_load_from(site):
    for path in [*site.glob("*.js"), *site.glob("*.html"), *site.glob("*.css"), *site.glob("*.webmanifest")]:
        addresses = set(re.findall(r"https?://[^\s\"'`<>)]+", path.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path.name


def test_the_lock_names_no_host_and_the_runtime_is_webassembly():
    assert "resolved" not in (HERE / "package-lock.json").read_text()
    wasm = gzip.decompress((HERE / "runtime" / f"{RUNTIME}.wasm.gz").read_bytes())
    assert wasm[:4] == b"\0asm"


def test_the_policy_of_the_page_is_that_of_the_headers(site):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', (site / "index.html").read_text())
    assert f"Content-Security-Policy: {policy};" in (site / "_headers").read_text()
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(SiteError, match="holds other files; give a new or an empty folder"):
        write_site(load_bundle(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_command_says_how_to_try_the_page(tmp_path):
    result = CliRunner().invoke(app, ["web", str(tmp_path / "page")])

    assert result.exit_code == 0
    assert f"python -m http.server -d {tmp_path / 'page'}" in result.stdout


def test_the_command_refuses_a_foreign_folder_in_one_line(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    result = CliRunner().invoke(app, ["web", str(tmp_path)])

    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
