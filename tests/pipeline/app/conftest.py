"""The page in a real browser, for the tests that need one."""

import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
CHOOSER = "[data-testid=stFileUploader] input[type=file]"
PATIENCE = 180  # seconds; a machine may have more to do
# Nothing runs, nothing waits to be drawn anew and nothing moves, at three looks that follow each other.
AT_REST = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const moves = (animation) => animation.playState === "running" && animation.effect.getComputedTiming().endTime < 1e6;
  const rests = app?.dataset.testScriptState === "notRunning" && !document.querySelector("[data-stale=true]")
    && !document.getAnimations().some(moves);
  window.looksAtRest = rests ? (window.looksAtRest ?? 0) + 1 : 0;
  return window.looksAtRest >= 3;
}"""


@pytest.fixture(autouse=True)
def own_main():
    """Streamlit's AppTest takes the place of `__main__`, from which the processes of a later test would begin."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


def forbid_writing() -> None:
    """From here on the process can't write a byte to any file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@contextmanager
def served(bundle_folder):
    """`lesion app`, serving a bundle: its process, which can't write any file, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipeline.cli", "app", "--bundle", bundle_folder, "--port", str(port)]
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=forbid_writing,  # noqa: PLW1509 - no thread of this process holds a lock that it takes
    )
    wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health")
    yield server, f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(PATIENCE)


@pytest.fixture(scope="session")
def address(bundle_folder):
    """Where `lesion app` serves the bundle of rules."""
    with served(bundle_folder) as (_, address):
        yield address


@pytest.fixture
def new_server(bundle_folder):
    """A server of its own: its process, and its address."""
    with served(bundle_folder) as server:
        yield server


def wait_until_healthy(url) -> None:
    for _ in range(PATIENCE * 5):
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"{url} does not answer")


@pytest.fixture(scope="module")  # its loop must not run beneath the tests of other modules
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    playwright.expect.set_options(timeout=1000 * PATIENCE)
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def settle():
    """A function that waits until a page has come to rest: a click is lost while it is drawn anew."""

    def settle(page) -> None:
        page.evaluate("window.looksAtRest = 0")
        page.wait_for_function(AT_REST, polling=100)

    return settle


@pytest.fixture
def open_page(address, browser, settle):
    """A function that opens the page; in the end, every request must have gone to this computer."""
    contexts, foreign = [], []

    def open_page(width=1280, theme="light", **device):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **device)
        context.set_default_timeout(1000 * PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: foreign.append(request.url))
        page.goto(address)
        page.locator(CHOOSER).wait_for(state="attached")
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [url for url in foreign if not url.startswith((address, "data:", "blob:"))]


@pytest.fixture
def write_disc(write_image, draw_disc, tmp_path):
    """A function (name, colour) -> path of an image of a disc, with noise that makes the file larger than 1 MB."""

    def write(name, colour) -> Path:
        image = draw_disc(colour, centre=(500, 400), radius=150, size=(800, 1000))
        noise = np.random.default_rng(0).integers(0, 20, image.shape, np.uint8)
        path = write_image(tmp_path / name, cv2.subtract(image, noise))
        assert path.stat().st_size > 2**20
        return path

    return write
