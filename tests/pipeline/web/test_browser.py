"""The page in a real browser, with the bundle that ships: what it says, and that it needs nobody."""

import csv
import io
import json
import shutil
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from classification.ood import AppearanceDetector
from pipeline.bundle.loading import load_bundle
from pipeline.prediction.outputs import table_columns
from pipeline.prediction.predictor import LesionPipeline
from pipeline.web.golden import EXPECTED_FILE, golden_images, write_golden
from pipeline.web.writing import write_site

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.flaky(reruns=2),
]

PATIENCE = 300  # seconds; a machine may have more to do
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)
BOX = ("x0", "y0", "x1", "y1")
# Python turns a WebP image as its camera says and browsers don't: the page refuses what it would see turned.
REFUSED_BY_THE_PAGE = {"turned.webp"}
MEMORY_IMAGES = 100


class Host:
    """A static web server that remembers what it was asked for, and can be cut off."""

    def __init__(self, folder: Path) -> None:
        asked = self.asked = []

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_) -> None:
                asked.append(self.path)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        self.address = f"http://localhost:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "page"
    write_site(load_bundle(), folder)
    return folder


@pytest.fixture(scope="module")
def golden_folder(tmp_path_factory) -> Path:
    """Odd and drawn images, and what Python says of them; the photographs are left to `tests/benchmarks`."""
    folder = tmp_path_factory.mktemp("golden")
    images = ((name, content) for name, content in golden_images() if not name.startswith("photograph"))
    write_golden(load_bundle(), folder, islice(images, 48))
    return folder


@pytest.fixture(scope="module")
def expected(golden_folder) -> list[dict]:
    return json.loads((golden_folder / EXPECTED_FILE).read_text())


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        playwright.expect.set_options(timeout=1000 * PATIENCE)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, folder):
    """A function that opens the page in a browser of its own; nothing may be asked of any other address."""
    hosts, contexts, foreign = [], [], []

    def open_page(folder=folder, width=1280, theme="light", host=None):
        host = host or Host(folder)
        hosts.append(host)
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        context.set_default_timeout(1000 * PATIENCE)
        contexts.append(context)
        context.on(
            "request",
            lambda request: request.url.startswith((host.address, "blob:")) or foreign.append(request.url),
        )
        page = context.new_page()
        page.host = host
        page.foreign = foreign
        page.complaints = []
        page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(host.address)
        page.locator("html[data-ready]").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    for host in hosts:
        host.stop()
    assert not foreign


def kept(page) -> None:
    page.get_by_text("opens without a network").wait_for()


def predict(page, *paths) -> None:
    page.locator("#files").set_input_files(paths)
    page.locator(".card .ranking").wait_for()


@pytest.fixture(scope="module")
def said(browser, folder, golden_folder, expected) -> dict[str, dict]:
    """The page's answers for all golden images, from the table that it saves, read back by the image's name."""
    host = Host(folder)
    page = browser.new_context().new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(host.address)
    page.locator("#files").set_input_files([golden_folder / entry["image"] for entry in expected])
    page.get_by_text("All images are done.").wait_for()
    with page.expect_download() as table:
        page.get_by_role("button", name="Table (csv)").click()
    text = table.value.path().read_text(encoding="utf-8")
    page.context.close()
    host.stop()
    assert tuple(next(csv.reader(io.StringIO(text)))) == table_columns(load_bundle().classes)
    return {row["image"]: row for row in csv.DictReader(io.StringIO(text))}


def test_the_same_answer_as_the_command_line(said, expected):
    """Diagnosis, box, notes and probabilities; only a JPEG decoder may differ by a little."""
    for entry in expected:
        row = said[entry["image"]]
        if "error" in entry or entry["image"] in REFUSED_BY_THE_PAGE:
            assert row["diagnosis"] == ""
            assert row["notes"].startswith(f"{entry['image']}: ")
            continue
        assert row["diagnosis"] == entry["diagnosis"], entry["image"]
        assert row["notes"] == "; ".join(entry["notes"]), entry["image"]
        box = tuple(str(entry["box"][side]) if entry["box"] else "" for side in BOX)
        assert tuple(row[side] for side in BOX) == box, entry["image"]
        probabilities = [float(row[name]) for name in entry["probabilities"]]
        largest = np.abs(np.subtract(probabilities, list(entry["probabilities"].values()))).max()
        assert largest < (0.002 if entry["image"].endswith(("png", "bmp")) else 0.01), entry["image"]
        assert float(row["lesion_fraction"]) == pytest.approx(entry["lesion_fraction"], abs=1e-4)


def test_an_image_unlike_the_training_has_no_reliable_answer(open_page, golden_folder, tmp_path):
    """By the mixture of Gaussians that bundles calibrated on images have; here one that is made up."""
    random = np.random.default_rng(0)
    factors = np.linalg.cholesky(np.stack([np.cov(random.normal(size=(29, 60))) for _ in range(2)]))
    detector = AppearanceDetector(
        mean=random.normal(size=29),
        deviation=random.uniform(0.5, 2, 29),
        weights=np.array([0.3, 0.7]),
        centres=random.normal(size=(2, 29)),
        factors=factors,
        rules=random.normal(size=(2, 58)),
        biases=random.normal(size=2),
        threshold=1e5,
    )
    bundle = replace(load_bundle(), ood=None, appearance=replace(detector, **rounded(detector)))
    image = golden_folder / "two-lesions.png"
    theirs = LesionPipeline.load(bundle).predict(image)
    write_site(bundle, tmp_path / "page")
    page = open_page(tmp_path / "page")
    predict(page, image)

    assert page.locator(".card .diagnosis").inner_text() == "No reliable answer"
    assert page.locator(".card .notes li").count() == len(theirs.notes)
    ours = page.evaluate(
        """async (content) => {
          const { Models } = await import("./models.js");
          return (await new Models().predict("", new Blob([new Uint8Array(content)]))).familiarity;
        }""",
        list(image.read_bytes()),
    )
    assert ours == pytest.approx(theirs.ood_score, rel=1e-6)


def rounded(detector) -> dict[str, np.ndarray]:
    """The detector's arrays as a bundle's file has them."""
    stored = detector.to_dict().items()
    return {name: np.array(values) for name, values in stored if isinstance(values, list)}


def test_it_works_without_the_server_and_asks_for_nothing_when_it_predicts(
    open_page, golden_folder, expected
):
    page = open_page()
    kept(page)
    asked = len(page.host.asked)
    predict(page, golden_folder / "two-lesions.png")
    assert len(page.host.asked) == asked

    page.host.stop()
    page.reload()
    predict(page, golden_folder / "two-lesions.png")
    (entry,) = (entry for entry in expected if entry["image"] == "two-lesions.png")
    assert f"({entry['diagnosis']})" in page.locator(".ranking li").first.inner_text()
    page.get_by_role("button", name="melanoma", exact=True).click()  # the examples are kept as well
    page.get_by_role("heading", name="drawn melanoma").wait_for()


def test_the_policy_holds(open_page, golden_folder, folder):
    """No script of a page's own text, none from elsewhere, and nothing to any other address."""
    page = open_page()
    predict(page, golden_folder / "two-lesions.png")
    assert page.complaints == []

    other = Host(folder)
    refused = page.evaluate(
        """async (address) => {
          const refused = [];
          document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
          const script = document.createElement("script");
          script.textContent = "document.title = 'taken over'";
          document.head.append(script);
          await fetch(address).catch(() => {});
          const image = new Image();
          image.src = address + "beacon.png";
          await new Promise((resolve) => (image.onerror = resolve));
          return refused;
        }""",
        other.address,
    )
    other.stop()
    assert sorted(refused) == ["connect-src", "img-src", "script-src-elem"]
    assert page.title() != "taken over"
    assert other.asked == []
    page.foreign.remove(f"{other.address}beacon.png")  # announced, and stopped before it left


def test_a_new_version_is_offered_and_taken(open_page, tmp_path):
    write_site(load_bundle(), tmp_path / "page")
    page = open_page(tmp_path / "page")
    kept(page)
    write_site(replace(load_bundle(), name="a newer model"), tmp_path / "page")
    page.reload()
    page.get_by_role("button", name="Use it now").click()

    page.get_by_text("a newer model").wait_for()


def test_a_box_is_moved_by_mouse_and_keys_and_the_answer_follows(open_page, golden_folder):
    page = open_page()
    predict(page, golden_folder / "two-lesions.png")
    before = page.locator(".ranking").inner_text()
    box = page.locator("svg .box rect")
    photo = page.locator(".photo").bounding_box()
    page.mouse.move(photo["x"] + 3, photo["y"] + 3)
    page.mouse.down()
    page.mouse.move(photo["x"] + photo["height"] / 3, photo["y"] + photo["height"] / 3, steps=4)
    page.mouse.up()
    playwright.expect(page.get_by_label("Your box")).to_be_checked()
    assert page.locator(".ranking").inner_text() != before

    left = int(box.get_attribute("x"))
    page.locator("svg .box").focus()
    page.keyboard.press("ArrowRight")
    assert int(box.get_attribute("x")) == left + 9  # a hundredth of the longer side

    page.get_by_label("The lesion", exact=True).check()
    playwright.expect(page.locator(".ranking")).to_have_text(before, use_inner_text=True)


def test_the_activation_map_fades_in(open_page, golden_folder):
    page = open_page()
    predict(page, golden_folder / "two-lesions.png")
    page.get_by_label("Activation map").fill("60")

    evidence = page.locator("canvas.evidence")
    assert evidence.evaluate("canvas => getComputedStyle(canvas).opacity") == "0.6"
    colours = evidence.evaluate(
        "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, 224, 224).data).size"
    )
    assert colours > 50


def test_a_broken_file_is_a_line(open_page, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff" + bytes(100))
    page = open_page()
    page.locator("#files").set_input_files(broken)

    playwright.expect(page.get_by_role("alert")).to_contain_text("broken.jpg: the JPEG data are cut short")


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
def test_it_fits_the_screen_and_axe_finds_nothing(open_page, golden_folder, width, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = open_page(width=width, theme=theme)
    page.locator("#files").set_input_files([golden_folder / name for name in ("noise.png", "text.png")])
    page.locator(".card .ranking").wait_for()
    page.get_by_text("All images are done.").wait_for()

    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, .button, .tools label, .look label, footer a")]
          .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 44)
          .map((each) => each.outerHTML)"""
    )
    assert small == []
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_the_report_is_one_printed_case(open_page, golden_folder):
    page = open_page()
    predict(page, golden_folder / "two-lesions.png")
    page.emulate_media(media="print")

    assert page.get_by_role("button").count() == 0
    playwright.expect(page.locator(".printed")).to_contain_text("not a medical device")
    assert page.locator(".measurements").is_visible()


def test_memory_stays_flat_over_many_images(browser, open_page, golden_folder):
    page = open_page()
    image = golden_folder / "two-lesions.png"
    predict(page, *[image] * 10)
    page.get_by_text("All images are done.").wait_for()
    before = resident(browser)
    page.locator("#files").set_input_files([image] * MEMORY_IMAGES)
    page.get_by_text(f"{MEMORY_IMAGES} of {MEMORY_IMAGES} images predicted").wait_for()

    assert resident(browser) - before < 60


def resident(browser) -> float:
    """Megabytes that the browser's pages hold."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    status = [Path(f"/proc/{page}/status").read_text() for page in pages]
    return sum(float(text.partition("VmRSS:")[2].split()[0]) / 1024 for text in status)
