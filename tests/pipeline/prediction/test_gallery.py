import csv
import re
from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.prediction.gallery import csv_text, html_page
from pipeline.prediction.outcomes import Remarks, predict_file
from pipeline.prediction.overruling import Overrule
from pipeline.prediction.results import ResultSettings, ResultsFolder
from pipeline.prediction.sources import ImageFile
from pipeline.prediction.work import Task, predict_task


@pytest.fixture
def outcomes(pipeline, draw_disc, write_image, tmp_path):
    """Of a red disc, a file that is no image, and bare skin under a hostile name."""
    red = write_image(tmp_path / "red.png", draw_disc((90, 30, 30))).read_bytes()
    skin = write_image(tmp_path / "skin.png", np.full((100, 120, 3), 230, np.uint8)).read_bytes()
    files = {"red.png": red, "broken.png": b"no image", "<b>skin & co</b>.png": skin}
    return [predict_file(pipeline, name, content) for name, content in files.items()]


def test_the_csv_is_what_the_command_line_writes_and_a_line_for_what_failed(outcomes, pipeline, tmp_path):
    task = Task(ImageFile(tmp_path / "red.png"))
    with ResultsFolder.open(tmp_path / "results", pipeline.bundle, ResultSettings(pictures=False)) as folder:
        folder.add(predict_task(pipeline, None, task))
    (expected,) = csv.DictReader((tmp_path / "results" / "predictions.csv").read_text().splitlines())
    red, broken, skin = csv.DictReader(csv_text(outcomes, pipeline.bundle).splitlines())

    assert {name: red[name] for name in expected} == expected | {"image": "red.png"}
    assert (broken["image"], broken["diagnosis"]) == ("broken.png", "")
    assert "is not a JPEG" in broken["notes"]
    assert skin["view"] == "full" and skin["x0"] == ""


def test_the_report_needs_nothing_from_outside_and_shows_every_image(outcomes, pipeline):
    page = html_page(outcomes, pipeline.bundle)

    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)
    assert "url(" not in page and "@import" not in page and "<script" not in page
    assert page.count("<img ") == 2, "one for each image that could be used"
    assert all(alt for alt in re.findall(r"alt=\"([^\"]*)\"", page))
    assert "broken.png: is not a JPEG" in page
    assert "not a medical device" in page
    assert "melanoma (mel)" in page and f"{outcomes[0].facts['confidence']:.1%}" in page
    assert pipeline.bundle.name in page


def test_what_the_reader_chose_and_wrote_is_in_both(pipeline, draw_disc, write_image, tmp_path):
    content = write_image(tmp_path / "red.png", draw_disc()).read_bytes()
    outcome = predict_file(pipeline, "red.png", content, Overrule(margin=0.5), millimetres_per_pixel=0.05)
    outcome = outcome.with_remarks(Remarks("case 7", "nv", "=HYPERLINK(1)\nas before"))
    now = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    (row,) = csv.DictReader(csv_text([outcome], pipeline.bundle, now).splitlines())

    assert row["overruled"].startswith("margin 0.5 in place of")
    assert (row["case"], row["own_diagnosis"]) == ("case 7", "nv")
    assert row["comment"] == "'=HYPERLINK(1) as before", "no spreadsheet takes it for a formula"
    assert (row["area_unit"], row["millimetres_per_pixel"]) == ("mm²", "0.05")
    assert float(row["area"]) == pytest.approx(np.pi * 3**2, rel=0.05)
    assert (row["date"], row["bundle"]) == ("2026-11-24 15:30+00:00", pipeline.bundle.name)
    page = html_page([outcome], pipeline.bundle, now)
    assert "Overruled: margin 0.5" in page and "Own diagnosis: melanocytic naevus (nv)" in page
    assert "2026-11-24 15:30" in page and re.search(r"Largest diameter \d\.\d\d mm", page)


def test_links_of_the_report_lead_to_the_pictures(outcomes, pipeline):
    page = html_page(outcomes, pipeline.bundle)

    assert set(re.findall(r"href=\"#([^\"]+)", page)) == set(re.findall(r"figure id=\"([^\"]+)", page))


def test_names_can_not_bring_markup_into_the_report(outcomes, pipeline):
    page = html_page(outcomes, pipeline.bundle)

    assert "<b>skin" not in page
    assert "&lt;b&gt;skin &amp; co&lt;/b&gt;.png" in page


def test_an_outcome_is_small_however_large_the_image(pipeline, draw_disc, write_image, tmp_path):
    large = draw_disc(size=(1500, 2000), centre=(1000, 750), radius=300)
    outcome = predict_file(pipeline, "large.png", write_image(tmp_path / "large.png", large).read_bytes())

    assert 0 < len(outcome.picture) < 60_000
    assert not any(isinstance(value, np.ndarray) for value in vars(outcome).values())
