"""How long the page takes, and what memory its server holds, in headless Chromium.

    python tests/benchmarks/page_speed.py [--parts start large many visitors closed] [--uploads 200] [--visitors 3]

All images are drawn examples: as they are, brightened by a little so that each is one of its own, or enlarged to 48
megapixels. A reaction is the time from the click until the answer's text has changed. Every part begins with an empty
page; the server is one and the same.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipeline.app.settings import SESSION_SECONDS

EXAMPLES = sorted((Path(__file__).parents[2] / "data" / "examples" / "images").glob("*.jpg"))
CHOOSER = "[data-testid=stFileUploader] input[type=file]"
PORT = 8577
ADDRESS = f"http://127.0.0.1:{PORT}"
PATIENCE = 900_000  # ms
AT_ONCE = 50  # files a choice, of many
LARGE = (6000, 8000)
PARTS = ("start", "large", "many", "visitors", "closed")
SETTLED = 5  # seconds after which the server has returned what Streamlit has let go of
AT_REST = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const rests = app?.dataset.testScriptState === "notRunning" && !document.querySelector("[data-stale=true]");
  window.looksAtRest = rests ? (window.looksAtRest ?? 0) + 1 : 0;
  return window.looksAtRest >= 5;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--visitors", type=int, default=3)
    options = parser.parse_args()
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        start = time.perf_counter()
        with served() as server:
            show("server answers after its start", time.perf_counter() - start)
            usable = open_page(browser)
            show("first page usable after the start", time.perf_counter() - start)
            usable.context.close()
            if "start" in options.parts:
                show_first_answers(browser)
            if "large" in options.parts:
                for suffix in ("jpg", "png"):
                    show_large(browser, write_large(Path(folder), suffix), server.pid)
            if "many" in options.parts:
                show_many(browser, varied(Path(folder), options.uploads), server.pid)
            if "visitors" in options.parts:
                show_at_once(browser, options.visitors)
            if "closed" in options.parts:
                show_closed(browser, varied(Path(folder), AT_ONCE), server.pid)


def show(name: str, value: float, unit: str = "s") -> None:
    print(f"{name:<58}{value:>9.2f} {unit}" if unit == "s" else f"{name:<58}{value:>9.0f} {unit}", flush=True)


@contextmanager
def served() -> Iterator[subprocess.Popen]:
    """`lesion app` as a process of its own, from when it answers."""
    command = [sys.executable, "-m", "pipeline.cli", "app", "--port", str(PORT)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"{ADDRESS}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.05)
        yield server
    finally:
        server.terminate()
        server.wait()


def memory(process: int) -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def open_page(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(ADDRESS)
    page.locator(CHOOSER).wait_for(state="attached")
    return page


def rest(page: Page) -> None:
    page.evaluate("window.looksAtRest = 0")
    page.wait_for_function(AT_REST, polling=100)


def show_first_answers(browser: Browser) -> None:
    """Five visitors, each with a page of his own: from the upload to his first answer, and to the whole page."""
    answers, wholes = [], []
    for path in EXAMPLES[:5]:
        page = open_page(browser)
        rest(page)
        start = time.perf_counter()
        page.locator(CHOOSER).set_input_files(path)
        page.locator(".lesion-answer").wait_for()
        answers.append(time.perf_counter() - start)
        page.locator(".measurements").wait_for()
        wholes.append(time.perf_counter() - start)
        page.context.close()
    show("a visitor's first answer, longest of five", max(answers))
    show("  median", statistics.median(answers))
    show("  with measurements, median", statistics.median(wholes))


def write_large(folder: Path, suffix: str) -> Path:
    path = folder / f"large.{suffix}"
    cv2.imwrite(
        str(path), cv2.resize(cv2.imread(str(EXAMPLES[0])), LARGE[::-1], interpolation=cv2.INTER_CUBIC)
    )
    return path


def show_large(browser: Browser, path: Path, server: int) -> None:
    name = f"48 megapixels ({path.suffix.removeprefix('.')})"
    page = open_page(browser)
    rest(page)
    before = memory(server)
    start = time.perf_counter()
    page.locator(CHOOSER).set_input_files(path)
    page.locator(".lesion-answer").wait_for()
    show(f"{name}: answer", time.perf_counter() - start)
    rest(page)
    held = memory(server)

    group = page.get_by_test_id("stButtonGroup")
    margin = page.get_by_role("slider", name="Margin")
    show(
        f"{name}: full image",
        reaction(page, lambda: group.get_by_text("Full image").click(), "whole image"),
    )
    show(f"{name}: the lesion again", reaction(page, lambda: group.get_by_text("The lesion").click(), ""))
    show(f"{name}: margin by a key", reaction(page, lambda: margin.press("ArrowRight"), "margin 0."))
    page.get_by_role("button", name="Back to the automatic choice").click()
    rest(page)
    show(f"{name}: box drawn by the mouse", reaction(page, lambda: draw_box(page), "box of"))
    page.get_by_role("button", name="Contour", exact=True).click()
    grow = page.get_by_role("button", name="Grow")
    show(f"{name}: contour grown (0.7 s of it are a pause)", reaction(page, grow.click, "contour drawn"))
    remove_all(page)
    show(f"memory before {name}", before, "MB")
    show("memory with them", held, "MB")
    show("memory after “Remove all images”", memory(server), "MB")
    page.context.close()


def reaction(page: Page, act, words: str) -> float:
    """Seconds from an act until the answer says these words as overruled, or, for none, that nothing is."""
    answer = page.locator(".lesion-answer")
    start = time.perf_counter()
    act()
    if words:
        expect(answer.locator(".overruled")).to_contain_text(words)
    else:
        expect(answer.locator(".overruled")).to_have_count(0)
    seconds = time.perf_counter() - start
    rest(page)
    return seconds


def draw_box(page: Page) -> None:
    photo = page.locator("svg .photo")
    photo.scroll_into_view_if_needed()
    frame = photo.bounding_box()
    assert frame
    points = [
        (frame["x"] + part * frame["width"], frame["y"] + part * frame["height"]) for part in (0.03, 0.5)
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=4)
    page.mouse.up()


def remove_all(page: Page) -> None:
    page.get_by_role("button", name="Remove all images").click()
    page.get_by_role("button", name="Yes, remove").click()
    page.get_by_text("Or try a drawing").wait_for()
    rest(page)
    time.sleep(SETTLED)


def varied(folder: Path, count: int) -> list[Path]:
    """Examples that differ by their brightness."""
    paths = []
    for number in range(count):
        image = cv2.imread(str(EXAMPLES[number % len(EXAMPLES)])).astype(np.int16) + number // len(EXAMPLES)
        paths.append(folder / f"image-{number:03}.jpg")
        cv2.imwrite(str(paths[-1]), image.clip(0, 255).astype(np.uint8))
    return paths


def show_many(browser: Browser, paths: list[Path], server: int) -> None:
    """Many uploads in one session."""
    page = open_page(browser)
    rest(page)
    before, count = memory(server), len(paths)
    start = time.perf_counter()
    for first in range(0, count, AT_ONCE):
        page.locator(CHOOSER).set_input_files(paths[first : first + AT_ONCE])
        given = min(first + AT_ONCE, count)
        page.get_by_role("heading", name=f"{given} of {given} images predicted").wait_for()
        rest(page)
    show(f"{count} uploads in one session, {AT_ONCE} at a time: all there", time.perf_counter() - start)
    held = memory(server)
    name = page.get_by_role("heading", level=2).filter(has_text=".jpg").first
    seconds = []
    for step in range(5):
        was = name.inner_text()
        start = time.perf_counter()
        page.get_by_role("button", name="Next ›" if step % 2 == 0 else "‹ Previous").click()
        expect(name).not_to_have_text(was)
        seconds.append(time.perf_counter() - start)
        rest(page)
    show(f"the next of {count} images, median of five", statistics.median(seconds))
    remove_all(page)
    show(f"memory before the {count} uploads", before, "MB")
    show("memory with them", held, "MB")
    show("memory after “Remove all images”", memory(server), "MB")
    page.context.close()


def show_at_once(browser: Browser, visitors: int) -> None:
    """All visitors give an image in the same moment; then each has the answer to his own image."""
    pages = [open_page(browser) for _ in range(visitors)]
    for page in pages:
        rest(page)
    start = time.perf_counter()
    for page, path in zip(pages, EXAMPLES, strict=False):
        page.locator(CHOOSER).set_input_files(path)
    for page, path in zip(pages, EXAMPLES, strict=False):
        page.locator(".lesion-answer").wait_for()
        expect(page.get_by_role("heading", level=2).first).to_contain_text(path.name)
    show(f"{visitors} visitors at once: the last one's first answer", time.perf_counter() - start)
    for page in pages:
        page.context.close()


def show_closed(browser: Browser, paths: list[Path], server: int) -> None:
    """A page with images is closed, and nobody comes back."""
    page = open_page(browser)
    rest(page)
    before = memory(server)
    page.locator(CHOOSER).set_input_files(paths)
    page.get_by_role("heading", name=f"{len(paths)} of {len(paths)} images predicted").wait_for()
    rest(page)
    held = memory(server)
    page.context.close()
    time.sleep(SESSION_SECONDS + 3 * SETTLED)
    show(f"memory before {len(paths)} uploads", before, "MB")
    show("memory with them", held, "MB")
    show(f"memory {SESSION_SECONDS + 3 * SETTLED} s after the page was closed", memory(server), "MB")


if __name__ == "__main__":
    main()
