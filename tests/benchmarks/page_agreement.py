"""Whether the page's files hold the numbers of `lesion predict`, in headless Chromium.

    python tests/benchmarks/page_agreement.py IMAGE...

`lesion predict IMAGE... --output` writes its table and masks; the page gets the same files. Compared are, cell by cell,
the page's table of all images and its table of each one; and, as they are printed, the probabilities and measurements
on the A4 page of each: the latter with what `segmentation.shape` measures on the mask that the command wrote.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from page_speed import CHOOSER, open_page, rest, served
from playwright.sync_api import Browser, Page, sync_playwright

from data.datasets.diagnoses import diagnosis_name
from data.images import read_image, read_mask
from pipeline.prediction.wording import measure_text, percent
from segmentation.shape import measure_lesion

Row = dict[str, str]
DATE = "date"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    images: list[Path] = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        expected = predicted(images, Path(folder))
        with sync_playwright() as engine, served():
            browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            wrong = compared(browser, images, expected, Path(folder))
    print("\n".join(wrong) or "no difference")
    sys.exit(bool(wrong))


def predicted(images: list[Path], folder: Path) -> dict[str, Row]:
    """Name of an image -> its line of the command's table."""
    command = [sys.executable, "-m", "pipeline.cli", "predict", *map(str, images), "--output", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return {Path(row["image"]).name: row for row in csv.DictReader(file)}


def compared(browser: Browser, images: list[Path], expected: dict[str, Row], folder: Path) -> list[str]:
    """What differs, one line each."""
    page = open_page(browser)
    rest(page)
    page.locator(CHOOSER).set_input_files(images)
    page.get_by_role("button", name="Table of all (csv)").wait_for()
    rest(page)
    rows = {row["image"]: row for row in table(page, "Table of all (csv)")}
    wrong = [] if len(rows) == len(expected) else [f"{len(rows)} lines of {len(expected)}"]
    cells = figures = 0
    for image in images:
        theirs, ours = expected[image.name], rows[image.name]
        page.get_by_role("button", name=image.name, exact=True).click()
        page.get_by_role("heading", level=2, name=image.name).wait_for()
        page.get_by_role("heading", name="Take it along").wait_for()
        rest(page)
        (alone,) = table(page, "Table (csv)")
        pairs = [(f"table of all, {name}", ours[name], theirs[name]) for name in theirs if name != "image"]
        pairs += [(f"table of one, {name}", alone[name], ours[name]) for name in ours if name != DATE]
        cells += len(pairs)
        printed = printed_page(browser, page)
        lines = expected_lines(image, theirs, folder)
        figures += len(lines)
        wrong += [
            f"{image.name}: {name}: {here!r}, not {there!r}" for name, here, there in pairs if here != there
        ]
        wrong += [f"{image.name}: the A4 page lacks {line!r}" for line in lines if line not in printed]
    print(f"{len(images)} images: {cells} cells of tables and {figures} lines of A4 pages compared")
    return wrong


def table(page: Page, button: str) -> list[Row]:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return list(csv.DictReader(download.value.path().read_text("utf-8").splitlines()))


def printed_page(browser: Browser, page: Page) -> str:
    """The text of the A4 page, with one space between words."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (A4 page)").click()
    sheet = browser.new_page()
    sheet.set_content(download.value.path().read_text("utf-8"))
    text = " ".join(sheet.inner_text("body").split())
    sheet.close()
    return text


def expected_lines(image: Path, row: Row, folder: Path) -> list[str]:
    """What the A4 page has to say: a line a class and a line a measurement."""
    names = list(row)
    classes = names[names.index("malignant") + 1 : names.index("x0")]
    lines = [f"{diagnosis_name(code)} ({code}) {percent(float(row[code]))}" for code in classes]
    mask = read_mask(folder / "masks" / f"{image.stem}.png")
    if mask.any():
        lines += [
            f"{each.name} {measure_text(each)}" for each in measure_lesion(read_image(image), mask, None)
        ]
    return lines


if __name__ == "__main__":
    main()
