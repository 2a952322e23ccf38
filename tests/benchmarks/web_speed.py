"""The page in Chromium: the first answer from a cold cache, 12 megapixels resized, memory over 100 images.

    python tests/benchmarks/web_speed.py [--bundle BUNDLE]

needs `pip install 'lesion[test]'` and Chromium. Next to times by the clock stand those of the processors, for a machine
that has more to do.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from web_parity import CHROMIUM, served

from pipeline.bundle.loading import load_bundle
from pipeline.web.writing import EXAMPLES, write_site

IMAGES = 100
PHOTO = EXAMPLES / "images" / "drawn_0000004.jpg"
RESIZE = """async () => {
  const { resizeImage } = await import("./resizing.js");
  const [width, height] = [4000, 3000];
  const data = new Uint8Array(4 * width * height).map((_, at) => (at * 2654435761) >>> 24);
  const times = [];
  for (let run = 0; run < 9; run++) {
    const start = performance.now();
    resizeImage({ data, width, height }, { x0: 0, y0: 0, x1: width, y1: height }, 256, 192);
    times.push(performance.now() - start);
  }
  return times;
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bundle", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write_site(load_bundle(given.bundle), folder)
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        with served(Path(folder)) as address:
            measure(browser, address)
        browser.close()


def measure(browser: Browser, address: str) -> None:
    """Print the figures of the page at an address."""
    page = browser.new_page()
    page.set_default_timeout(0)
    start, spent = time.perf_counter(), processor_seconds(browser)
    page.goto(address)
    page.locator("#files").set_input_files(PHOTO)
    page.locator(".card .ranking").wait_for()
    print(
        f"first answer from a cold cache: {time.perf_counter() - start:.2f} s by the clock, "
        f"{processor_seconds(browser) - spent:.2f} s of processors"
    )
    times = sorted(page.evaluate(RESIZE))
    print(f"12 megapixels resized: quickest {times[0]:.0f} ms, median {times[len(times) // 2]:.0f} ms")
    for count in (10, IMAGES):
        start, spent = time.perf_counter(), processor_seconds(browser)
        page.locator("#files").set_input_files([PHOTO] * count)
        page.get_by_text(f"{count} of {count} images predicted").wait_for()
        print(
            f"after {count} images: {resident(browser):.0f} MB; an image took "
            f"{1000 * (time.perf_counter() - start) / count:.0f} ms by the clock, "
            f"{1000 * (processor_seconds(browser) - spent) / count:.0f} ms of processors"
        )


def pages(browser: Browser) -> list[Path]:
    """Folders of the browser's pages in /proc."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return [Path("/proc", str(process["id"])) for process in processes if process["type"] == "renderer"]


def resident(browser: Browser) -> float:
    """Megabytes that the browser's pages hold."""
    status = [(page / "status").read_text() for page in pages(browser)]
    return sum(float(text.partition("VmRSS:")[2].split()[0]) / 1024 for text in status)


def processor_seconds(browser: Browser) -> float:
    """Seconds that the browser's pages have used processors for."""
    fields = [(page / "stat").read_text().rpartition(")")[2].split() for page in pages(browser)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
