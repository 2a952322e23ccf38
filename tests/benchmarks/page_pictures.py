"""Photograph both pages with a drawn melanoma for the documentation, in headless Chromium.

    python tests/benchmarks/page_pictures.py docs/images

Writes `app.jpg`, of the page of `lesion app`, and `web.jpg`, of that of `lesion web` on a phone.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from page_speed import ADDRESS, PATIENCE, rest, served
from playwright.sync_api import Browser, sync_playwright

QUALITY = 85


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with served():
            photograph_app(browser, folder / "app.jpg")
        photograph_web(browser, folder / "web.jpg")


def photograph_app(browser: Browser, path: Path) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 1100}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(ADDRESS)
    page.get_by_role("button", name="melanoma", exact=True).click()
    page.locator(".measurements").wait_for()
    page.mouse.move(0, 0)
    rest(page)
    page.screenshot(path=path, type="jpeg", quality=QUALITY)


def photograph_web(browser: Browser, path: Path) -> None:
    with tempfile.TemporaryDirectory() as site:
        subprocess.run([sys.executable, "-m", "pipeline.cli", "web", f"{site}/page"], check=True)
        host = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=f"{site}/page"))
        Thread(target=host.serve_forever, daemon=True).start()
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, device_scale_factor=1.5, has_touch=True, is_mobile=True
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://localhost:{host.server_port}/")
        page.get_by_role("button", name="melanoma", exact=True).click()
        page.locator("#one .diagnosis").wait_for()
        page.locator("#one").evaluate("article => article.scrollIntoView()")
        page.screenshot(path=path, type="jpeg", quality=QUALITY)
        host.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """A static server that says nothing."""

    def log_message(self, *_: object) -> None:
        """Keep the terminal clean."""


if __name__ == "__main__":
    main()
