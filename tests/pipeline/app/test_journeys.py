"""What a reader does over several steps, in a real browser."""

import csv

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.flaky(reruns=2)  # a click may fall into the moment in which the page is drawn anew

CHOOSER = "[data-testid=stFileUploader] input[type=file]"


@pytest.fixture
def shown(open_page, settle, write_image, draw_disc, tmp_path):
    """A page that shows a red disc of 60 pixels' radius in the middle of 400 x 300."""
    page = open_page()
    page.locator(CHOOSER).set_input_files(write_image(tmp_path / "red.png", draw_disc((90, 30, 30))))
    page.get_by_role("heading", name="Take it along").wait_for()
    settle(page)
    return page


@pytest.fixture
def table_of_one(settle):
    """A function of a page -> the line of the image that it shows."""

    def table_of_one(page) -> dict[str, str]:
        page.get_by_role("heading", name="Take it along").wait_for()
        settle(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Table (csv)").click()
        (row,) = csv.DictReader(download.value.path().read_text().splitlines())
        return row

    return table_of_one


def answer(page):
    return page.locator(".lesion-answer")


def place(page, x, y) -> tuple[float, float]:
    """Where a point of the image, in its pixels, lies on the screen."""
    photo = page.locator("svg .photo").bounding_box()
    return photo["x"] + x * photo["width"] / 400, photo["y"] + y * photo["height"] / 300


def drag(page, *points) -> None:
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=6)
    page.mouse.up()


def test_a_box_outlasts_the_model_page_and_the_browsers_back_button(shown, settle, table_of_one):
    drag(shown, (20, 20), (120, 120))
    expect = playwright.expect(answer(shown))
    expect.to_contain_text("Overruled: box of 100 pixels at 20, 20")
    settle(shown)
    shown.get_by_role("link", name="The model").click()
    shown.get_by_role("heading", name="The model").wait_for()
    settle(shown)
    shown.go_back()

    expect.to_contain_text("Overruled: box of 100 pixels at 20, 20")
    assert table_of_one(shown)["overruled"].startswith("box of 100 pixels at 20, 20")


def test_a_brush_corrects_the_contour_and_measurements_follow(shown, settle, table_of_one):
    before = float(table_of_one(shown)["area"])
    settle(shown)
    shown.get_by_role("button", name="Contour", exact=True).click()
    drag(shown, (250, 150), (340, 150))
    playwright.expect(answer(shown)).to_contain_text("Overruled: contour drawn by the reader")
    wider = table_of_one(shown)

    assert float(wider["area"]) > 1.03 * before
    assert int(wider["x1"]) > 300, "the box follows the contour"
    shown.get_by_role("button", name="Automatic contour").click()
    playwright.expect(answer(shown)).not_to_contain_text("Overruled")
    assert float(table_of_one(shown)["area"]) == before


def test_what_the_brush_begins_with_is_as_large_as_what_was_found(shown, settle, table_of_one):
    before = float(table_of_one(shown)["area"])
    settle(shown)
    shown.get_by_role("button", name="Contour", exact=True).click()
    shown.get_by_role("button", name="Grow").click()
    shown.get_by_role("button", name="Undo").click()
    playwright.expect(answer(shown)).to_contain_text("Overruled: contour drawn by the reader")

    assert float(table_of_one(shown)["area"]) == pytest.approx(before, rel=0.005)


def test_two_clicks_on_a_ruler_give_millimetres(shown, settle, table_of_one):
    shown.get_by_role("button", name="Scale", exact=True).click()
    shown.get_by_text("Click one end").wait_for()
    for point in ((50, 20), (150, 20)):
        shown.mouse.click(*place(shown, *point))
    shown.get_by_role("button", name="Use this scale").click()
    width = shown.get_by_role("spinbutton", name="Width of the image")
    playwright.expect(width).not_to_have_value("")
    settle(shown)

    assert float(width.input_value()) == pytest.approx(40, rel=0.02)
    row = table_of_one(shown)
    assert row["largest_diameter_unit"] == "mm"
    assert float(row["largest_diameter"]) == pytest.approx(12, rel=0.05)


def test_the_report_of_one_case_is_one_sheet_of_paper(shown, browser, settle):
    shown.get_by_role("textbox", name="Case").fill("A 12")
    shown.get_by_role("textbox", name="Comment").fill("x" * 400)
    shown.keyboard.press("Tab")
    settle(shown)
    with shown.expect_download() as download:
        shown.get_by_role("button", name="Report (A4 page)").click()
    sheet = browser.new_page()
    sheet.set_content(download.value.path().read_text())
    pdf = sheet.pdf(prefer_css_page_size=True)

    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == 1
    assert sheet.get_by_role("heading", name="A 12").is_visible()
    assert sheet.get_by_text("x" * 400).is_visible(), "what is written while the page is drawn anew is kept"
    assert sheet.get_by_text("Overruled").count() == 0
    sheet.close()


def test_a_copied_image_is_pasted_beside_the_others(shown):
    shown.evaluate(
        """async () => {
          const sheet = Object.assign(document.createElement("canvas"), { width: 200, height: 150 });
          sheet.getContext("2d").fillRect(50, 40, 90, 70);
          const blob = await new Promise((done) => sheet.toBlob(done, "image/png"));
          const carrier = new DataTransfer();
          carrier.items.add(new File([blob], "image.png", { type: "image/png" }));
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carrier, cancelable: true }));
        }"""
    )

    shown.get_by_role("heading", name="2 of 2 images predicted").wait_for()
    names = shown.locator(".list tbody th")
    playwright.expect(names).to_have_count(2)
    assert {name.partition("-")[0] for name in names.all_inner_texts()} == {"red.png", "pasted"}


def test_a_click_anywhere_on_a_row_picks_it_and_the_riskiest_is_first(
    open_page, settle, write_image, draw_disc, tmp_path
):
    page = open_page()
    colours = {"green.png": (30, 90, 30), "red.png": (90, 30, 30), "blue.png": (30, 30, 90)}
    page.locator(CHOOSER).set_input_files(
        [write_image(tmp_path / name, draw_disc(colour)) for name, colour in colours.items()]
    )
    page.get_by_role("heading", name="3 of 3 images predicted").wait_for()
    rows = page.locator(".list tbody tr")
    playwright.expect(rows).to_have_count(3)
    assert rows.first.locator("th").inner_text() == "red.png"

    settle(page)
    rows.first.locator("td").nth(1).click()
    playwright.expect(answer(page)).to_contain_text("melanoma (mel)")
    settle(page)
    page.get_by_role("button", name="Next ›").click()
    playwright.expect(answer(page)).not_to_contain_text("melanoma (mel)")
    playwright.expect(page.locator(".place")).to_have_text("Image 2 of 3")


def test_on_touch_the_picture_lets_the_page_scroll_and_its_handles_are_large(
    open_page, settle, write_image, draw_disc, tmp_path
):
    page = open_page(width=390, has_touch=True, is_mobile=True)
    page.locator(CHOOSER).set_input_files(write_image(tmp_path / "red.png", draw_disc((90, 30, 30))))
    answer(page).wait_for()
    page.locator("svg .photo[href]").wait_for()
    settle(page)

    style = "element => getComputedStyle(element).touchAction"
    scrolls = {"manipulation", "pan-x pan-y pinch-zoom"}  # two names of one thing
    assert page.locator(".stage svg").evaluate(style) in scrolls
    assert page.locator("svg .box rect").evaluate(style) in {"auto", *scrolls}
    handle = page.locator("svg .grip").first.bounding_box()
    assert min(handle["width"], handle["height"]) >= 24
    assert answer(page).bounding_box()["y"] < 844 / 2, "the answer is on the first screen"
    assert page.get_by_role("link", name="The model").is_visible()


def test_a_click_while_the_page_is_still_drawn_loses_nothing(open_page, write_image, draw_disc, tmp_path):
    page = open_page()
    large = draw_disc((90, 30, 30), centre=(2000, 1500), radius=600, size=(3000, 4000))
    page.locator(CHOOSER).set_input_files(write_image(tmp_path / "large.png", large))
    answer(page).wait_for()
    page.get_by_test_id("stButtonGroup").get_by_text("Full image").click()

    playwright.expect(answer(page)).to_contain_text("Overruled: whole image classified")
    assert page.get_by_role("heading", name="large.png").is_visible()
