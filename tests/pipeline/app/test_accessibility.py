"""The page in the states in which a visitor meets it, judged by axe-core.

axe-core comes from npm in this version, and only if its content is this; without npm or network the test is skipped.
"""

import hashlib
import shutil
import subprocess
import tarfile

import pytest

VERSION = "4.10.3"
SHA256 = "880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb"
CHOOSER = "[data-testid=stFileUploader] input[type=file]"


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    """The script of axe-core."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches axe-core, is not installed")
    fetched = subprocess.run(
        [npm, "pack", f"axe-core@{VERSION}"], cwd=folder, capture_output=True, check=False, timeout=60
    )
    if fetched.returncode:
        pytest.skip("axe-core can't be fetched")
    with tarfile.open(folder / f"axe-core-{VERSION}.tgz") as package:
        member = package.extractfile("package/axe.min.js")
        assert member is not None
        script = member.read()
    assert hashlib.sha256(script).hexdigest() == SHA256
    return script.decode("utf-8")


@pytest.fixture
def violations(axe, settle):
    """A function of a page -> the rules that it breaks, each with where."""

    def judge(page) -> list[str]:
        settle(page)  # what fades in has no contrast before
        page.evaluate(f"{axe};0")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]

    return judge


def test_no_state_of_the_page_breaks_a_rule_of_axe(open_page, violations, write_image, draw_disc, tmp_path):
    red, green, later = (
        write_image(tmp_path / f"{name}.png", draw_disc(colour))
        for name, colour in {"red": (90, 30, 30), "green": (30, 90, 30), "later": (95, 30, 30)}.items()
    )
    (tmp_path / "empty.png").touch()
    found = {}
    page = open_page()
    found["the first screen"] = violations(page)
    page.get_by_text("Take a picture").click()
    found["the camera"] = violations(page)
    page.locator(CHOOSER).set_input_files(red)
    page.locator(".measurements").wait_for()
    found["one image"] = violations(page)
    page.get_by_role("button", name="Contour", exact=True).click()
    found["the brush"] = violations(page)
    page.get_by_role("button", name="Scale", exact=True).click()
    found["the ruler"] = violations(page)
    page.get_by_text("Your box", exact=True).first.click()
    page.get_by_label("Left", exact=True).wait_for()
    found["a box of one's own"] = violations(page)
    page.locator(CHOOSER).set_input_files([green, later, tmp_path / "empty.png"])
    page.get_by_role("heading", name="3 of 3 images predicted").wait_for()
    page.get_by_role("heading", name="One file was not taken").wait_for()
    found["many images, one refused"] = violations(page)
    page.get_by_text("Quiz: hide").click()
    page.get_by_role("button", name="Show the answer").wait_for()
    found["a quiz"] = violations(page)
    page.get_by_role("button", name="Remove all images").click()
    page.get_by_role("button", name="Yes, remove").wait_for()
    found["the question before removal"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Over time").click()
    page.locator(".lesion-moments img").first.wait_for()
    found["two moments"] = violations(page)
    page.get_by_role("link", name="The model").click()
    page.get_by_role("heading", name="The model").wait_for()
    found["the model"] = violations(page)

    assert len(found) == 11
    assert not {state: broken for state, broken in found.items() if broken}


def test_a_phone_in_the_dark_breaks_none_either(open_page, violations, write_image, draw_disc, tmp_path):
    page = open_page(width=390, theme="dark")
    page.locator(CHOOSER).set_input_files(
        [write_image(tmp_path / f"{shade}.png", draw_disc((shade, 30, 30))) for shade in (80, 90)]
    )
    page.get_by_role("heading", name="2 of 2 images predicted").wait_for()
    page.locator(".measurements").wait_for()

    assert not violations(page)


def test_results_and_the_boxs_place_are_spoken(open_page, write_image, draw_disc, tmp_path):
    page = open_page()
    page.locator(CHOOSER).set_input_files(write_image(tmp_path / "red.png", draw_disc((90, 30, 30))))
    spoken = page.locator(".spoken[role=status]")
    page.wait_for_function(
        "text => [...document.querySelectorAll('*')].some(each => each.shadowRoot && "
        "[...each.shadowRoot.querySelectorAll('.spoken')].some(live => live.textContent.includes(text)))",
        arg="red.png: melanoma (mel)",
    )
    page.locator("svg .box").focus()
    page.keyboard.press("ArrowRight")

    assert any(text.startswith("Box ") and "from the left" in text for text in spoken.all_text_contents())
