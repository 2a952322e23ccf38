"""The page in a real browser: what only a browser can show."""

import csv
import re
from pathlib import Path

import pytest

from data.images import read_image

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.flaky(reruns=2)  # a click may fall into the moment in which the page is drawn anew

PATIENCE = 180  # seconds; a machine may have more to do
CHOOSER = "[data-testid=stFileUploader] input[type=file]"


def upload(page, *paths) -> None:
    page.locator(CHOOSER).set_input_files(paths)


def diagnosis(page):
    return page.locator(".lesion-answer .diagnosis")


@pytest.fixture
def picture(settle):
    """A function of a page -> place and size of the photo on the screen, once the page has come to rest."""

    def picture(page) -> dict[str, float]:
        page.locator(".measurements").wait_for()
        settle(page)
        page.locator("svg .photo[href]").scroll_into_view_if_needed()
        return page.locator("svg .photo").bounding_box()

    return picture


def test_an_image_is_predicted_from_memory_alone(open_page, picture, pipeline, write_disc):
    """The server can't write files, and the upload is larger than what servers like to keep in memory."""
    path = write_disc("red.png", (120, 50, 50))
    page = open_page()
    upload(page, path)
    picture(page)

    expected = pipeline.predict(read_image(path))
    assert diagnosis(page).inner_text().split() == ["melanoma", "(mel)", f"{expected.confidence:.1%}"]
    box = page.locator("svg .box rect")
    assert [int(box.get_attribute(name)) for name in ("x", "y", "width")] == [
        expected.box.x0,
        expected.box.y0,
        expected.box.width,
    ]
    assert page.locator("svg .contour").get_attribute("d").startswith("M")


def test_a_box_is_drawn_by_mouse_and_moved_by_keys(
    open_page, picture, settle, write_image, draw_disc, tmp_path
):
    image = draw_disc((90, 30, 30), centre=(300, 150))
    image[:80, :80] = (30, 30, 90)
    page = open_page()
    upload(page, write_image(tmp_path / "two.png", image))
    photo = picture(page)
    scale = photo["width"] / 400

    page.mouse.move(photo["x"] + 10 * scale, photo["y"] + 10 * scale)
    page.mouse.down()
    page.mouse.move(photo["x"] + 70 * scale, photo["y"] + 70 * scale, steps=4)
    page.mouse.up()
    playwright.expect(diagnosis(page)).to_contain_text("vascular lesion")
    left = page.get_by_label("Left", exact=True)
    playwright.expect(left).to_have_value(re.compile("^(9|10|11)$"))

    settle(page)
    before = int(left.input_value())
    page.locator("svg .box").focus()
    page.keyboard.press("ArrowRight")
    playwright.expect(left).to_have_value(str(before + 4))


def test_the_activation_map_fades_in_by_a_slider(open_page, picture, write_image, draw_disc, tmp_path):
    page = open_page()
    upload(page, write_image(tmp_path / "red.png", draw_disc()))
    picture(page)
    evidence = page.locator("svg .evidence")
    playwright.expect(evidence).to_have_attribute("opacity", "0")

    page.get_by_label("Activation map", exact=True).fill("60")
    playwright.expect(evidence).to_have_attribute("opacity", "0.6")


def test_many_images_come_as_csv_and_as_a_report_that_opens_without_network(
    open_page, settle, write_disc, tmp_path
):
    broken = tmp_path / "broken.png"
    broken.write_text("no image")
    page = open_page()
    upload(page, write_disc("red.png", (120, 50, 50)), broken, write_disc("green.png", (50, 120, 50)))
    page.get_by_role("button", name="Table of all (csv)").wait_for()
    settle(page)
    with page.expect_download() as table:
        page.get_by_role("button", name="Table of all (csv)").click()
    with page.expect_download() as report:
        page.get_by_role("button", name="Report of all (html)").click()

    rows = list(csv.DictReader(table.value.path().read_text().splitlines()))
    assert [row["diagnosis"] for row in rows] == ["mel", "", "nv"]
    page.set_content(report.value.path().read_text())
    assert page.get_by_role("img").count() == 2
    assert page.get_by_text("broken.png: is not a JPEG").is_visible()


@pytest.mark.skipif(
    not Path("/proc/self/maps").exists(), reason="the libraries of a process are told on Linux only"
)
def test_images_do_not_make_the_server_load_libraries_for_tables(new_server, browser, picture, write_disc):
    """Streamlit would load them, 110 MB, to see whether a component's data are a table."""
    process, address = new_server
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(address)
    upload(page, write_disc("red.png", (120, 50, 50)), write_disc("green.png", (50, 120, 50)))
    picture(page)

    libraries = Path(f"/proc/{process.pid}/maps").read_text()
    page.close()
    assert "numpy" in libraries
    assert "pandas" not in libraries
    assert "arrow" not in libraries


def test_a_broken_file_is_a_line(open_page, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff" + bytes(100))
    page = open_page()
    upload(page, broken)

    playwright.expect(page.get_by_role("alert")).to_contain_text("broken.jpg: the JPEG data are cut short")


@pytest.mark.parametrize(("width", "theme", "dark"), [(390, "light", False), (1280, "dark", True)])
def test_it_fits_the_screen_and_follows_the_theme(
    open_page, picture, write_image, draw_disc, tmp_path, width, theme, dark
):
    page = open_page(width, theme)
    upload(page, write_image(tmp_path / "red.png", draw_disc()))
    picture(page)

    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.locator(".stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
    colour = page.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert (max(map(int, colour.removeprefix("rgb(").rstrip(")").split(",")[:3])) < 100) == dark
    assert page.locator("img:not([alt])").count() == 0
