"""The page in Chromium against the Python pipeline: diagnoses, boxes, probabilities, masks and measurements.

    python tests/benchmarks/web_parity.py [--count 200] [--bundle BUNDLE]

needs `pip install 'lesion[test]'` and Chromium.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from data.images import read_image
from pipeline.bundle.loading import load_bundle
from pipeline.prediction.predictor import LesionPipeline
from pipeline.web.golden import golden_images, write_golden
from pipeline.web.writing import write_site
from segmentation.measures import MEASURES
from segmentation.shape import measure_lesion

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
BOX = ("x0", "y0", "x1", "y1")
PREDICT = """async (names) => {
  const { Models } = await import("./models.js");
  const models = new Models();
  await models.ready;
  const said = {};
  for (const name of names) {
    const file = await (await fetch(`/golden/${name}`)).blob();
    const start = performance.now();
    said[name] = await models.predict(name, file).catch((error) => ({ error: error.message }));
    said[name].milliseconds = performance.now() - start;
    delete said[name].activation;
  }
  return said;
}"""


def main() -> None:
    """Draw, predict with both, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--bundle", type=Path)
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_site(bundle, root / "site")
        expected = write_golden(bundle, root / "golden", islice(golden_images(), given.count))
        with served(root) as address, opened(f"{address}/site/") as page:
            said = page.evaluate(PREDICT, [entry["image"] for entry in expected])
        report(expected, said, bundle.classes)
        compare_measurements(LesionPipeline.load(bundle), root / "golden", said)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder's files on this computer."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def opened(address: str) -> Iterator[Page]:
    """The page in Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(address)
        yield page
        browser.close()


def report(expected: list[dict[str, Any]], said: dict[str, dict[str, Any]], classes: tuple[str, ...]) -> None:
    """Print the counts, and a line for each image where anything but small probabilities differs."""
    used = [entry for entry in expected if "error" not in entry]
    refused = [entry["image"] for entry in expected if "error" in entry]
    differences: dict[str, list[float]] = {}
    agree = dict.fromkeys(("diagnosis", "box", "notes", "mask"), 0)
    for entry in used:
        name, page = entry["image"], said[entry["image"]]
        if "error" in page:
            print(f"{name}: the page refuses it: {page['error']}")
            continue
        same = {
            "diagnosis": classes[page["diagnosis"]] == entry["diagnosis"],
            "box": page["box"] == entry["box"],
            "notes": page["notes"] == entry["notes"],
            "mask": round(page["lesionFraction"] * page["width"] * page["height"]) == entry["mask_pixels"],
        }
        agree = {key: count + same[key] for key, count in agree.items()}
        largest = float(
            np.abs(np.subtract(page["probabilities"], list(entry["probabilities"].values()))).max()
        )
        differences.setdefault(Path(name).suffix, []).append(largest)
        wrong = [key for key, right in same.items() if not right]
        if wrong or largest > 0.002:
            print(f"{name}: {', '.join(wrong) or 'probabilities'} differ; largest difference {largest:.5f}")
    print(
        f"{len(used)} images used, {len(refused)} refused by both: {all('error' in said[n] for n in refused)}"
    )
    print("equal: " + ", ".join(f"{key} {count}" for key, count in agree.items()))
    for suffix, values in differences.items():
        print(f"{suffix}: {len(values)} images, largest difference of a probability {max(values):.6f}")
    times = sorted(said[entry["image"]]["milliseconds"] for entry in used)
    print(f"time an image: median {times[len(times) // 2]:.0f} ms, longest {times[-1]:.0f} ms")


def compare_measurements(pipeline: LesionPipeline, folder: Path, said: dict[str, dict[str, Any]]) -> None:
    """Print how far the page's measurements are from those of `segmentation.shape`, where the masks are the same."""
    pairs = []
    for name, page in said.items():
        if not page.get("measurements"):
            continue
        image = read_image(folder / name)
        mask = pipeline.predict(folder / name).mask
        theirs = measure_lesion(image, mask)
        if theirs and page["measurements"][0] == np.count_nonzero(mask):
            pairs.append((page["measurements"], [each.value for each in theirs]))
    ours, others = np.array(pairs).swapaxes(0, 1)
    for measure, differences, values in zip(MEASURES, np.abs(ours - others).T, others.T, strict=True):
        span = f"{values.min():.4g} to {values.max():.4g}"
        print(f"{measure.name}: differs by at most {differences.max():.4f}; the values are {span}")


if __name__ == "__main__":
    main()
