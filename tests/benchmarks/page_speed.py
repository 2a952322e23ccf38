"""How long the page takes to open, and from an image's upload to its diagnosis, in headless Chromium.

    python tests/benchmarks/page_speed.py

Median over five drawn examples, each in a page of its own, after one that warms the server up.
"""

import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

EXAMPLES = sorted((Path(__file__).parents[2] / "data" / "examples" / "images").glob("*.jpg"))[:6]
CHOOSER = "[data-testid=stFileUploader] input[type=file]"
PORT = 8577
ADDRESS = f"http://127.0.0.1:{PORT}"


def main() -> None:
    command = [sys.executable, "-m", "pipeline.cli", "app", "--port", str(PORT)]
    start = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for_server()
        print(f"{'answers':<10}{time.perf_counter() - start:.2f} s after the start")
        with sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            first, *seconds = (visit(browser, path) for path in EXAMPLES)
        print(f"{'first':<10}open after {first[0]:.2f} s, its first diagnosis after {first[1]:.2f} s")
        for name, values in zip(("open", "diagnosis", "all"), zip(*seconds, strict=True), strict=True):
            print(f"{name:<10}{statistics.median(values):.2f} s (longest {max(values):.2f} s)")
    finally:
        server.terminate()


def wait_for_server() -> None:
    while True:
        try:
            urllib.request.urlopen(f"{ADDRESS}/_stcore/health").close()
            return
        except OSError:
            time.sleep(0.2)


def visit(browser, path: Path) -> tuple[float, float, float]:
    """Seconds until the page is open, and from the upload until the diagnosis and until everything is shown."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(120_000)
        start = time.perf_counter()
        page.goto(ADDRESS)
        page.locator(CHOOSER).wait_for(state="attached")
        opened = time.perf_counter()
        page.locator(CHOOSER).set_input_files(path)
        page.locator(".lesion-answer").wait_for()
        diagnosed = time.perf_counter()
        page.locator("svg .photo[href]").wait_for()
        page.locator(".measurements").wait_for()
        return opened - start, diagnosed - opened, time.perf_counter() - opened


if __name__ == "__main__":
    main()
