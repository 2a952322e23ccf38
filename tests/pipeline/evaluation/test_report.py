"""An evaluation is written as figures, a table, and one page that needs nothing else."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.evaluation import Evaluation, MaskExample
from pipeline.evaluation.facts import EvaluationFacts
from pipeline.evaluation.left_out import Failure
from pipeline.evaluation.predictions_table import read_predictions
from pipeline.evaluation.report import render_report, write_evaluation
from pipeline.evaluation.scoring import (
    label_predictions,
    score_abstention,
    score_classification,
    score_segmentation,
)
from pipeline.evaluation.subgroups import score_groups

CLASSES = ("mel", "nv")
MODEL = SimpleNamespace(precision="int8", sha256="0" * 64)


def an_evaluation(
    dx: list[str | None],
    jaccards: list[float],
    failures: tuple[Failure, ...] = (),
    command: tuple[str, ...] = (),
) -> Evaluation:
    """Images that are all taken for a melanoma with probability 0.7."""
    ids = [f"image{number}" for number in range(len(dx))]
    table = pd.DataFrame(
        {"image_id": ids, "lesion_id": ids, "dx": dx, "diagnosis": "mel", "mel": 0.7, "nv": 0.3}
    )
    table = table.assign(
        jaccard=jaccards, dice=jaccards, view="crop", notes=[("low confidence",), *[()] * (len(dx) - 1)]
    )
    sexes = table[["image_id"]].assign(sex="female")
    labelled = label_predictions(table, CLASSES)
    grey = np.full((30, 40, 3), 128, np.uint8)
    left, right = np.tile(np.arange(40) < 20, (30, 1)), np.tile(np.arange(40) >= 15, (30, 1))
    return Evaluation(
        predictions=table,
        labelled=labelled,
        classification=score_classification(labelled, resamples=20, seed=0),
        segmentation=score_segmentation(table, resamples=20, seed=0),
        failures=failures,
        examples=(MaskExample("worst", "image0", 0.125, grey, left, right),),
        facts=EvaluationFacts(
            bundle=SimpleNamespace(
                name="drawn", created="2026-01-01", segmentation=MODEL, classification=MODEL
            ),
            tta=False,
            images=len(dx),
            lesions=len(dx),
            resamples=20,
            seed=0,
            evaluated=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
            versions={"python": "3.13"},
            command=command,
        ),
        abstention=score_abstention(labelled, resamples=20, seed=0),
        groups=score_groups(table, sexes, CLASSES, resamples=20, seed=0),
    )


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return an_evaluation(["mel", "mel", "nv", "nv"], [0.9, 0.8, 0.6, np.nan])


@pytest.fixture(scope="module")
def folder(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_evaluation(evaluation, tmp_path_factory.mktemp("reports") / "new").parent


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


class PageReader(HTMLParser):
    """Collects a page's addresses, and its images without a description."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.undescribed: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser for each tag."""
        values = dict(attrs)
        self.addresses += [values[name] or "" for name in ("src", "srcset", "href") if name in values]
        if tag == "img" and not values.get("alt"):
            self.undescribed.append(values["src"] or "")


def test_the_folder_holds_figures_table_picture_and_page(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "confusion.png",
        "metrics.json",
        "predictions.csv",
        "report.html",
    ]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["classification"]["per_class"]["mel"]["recall"]["value"] == 1


def test_the_table_can_be_scored_again(evaluation: Evaluation, folder: Path) -> None:
    table = read_predictions(folder / "predictions.csv")

    again = score_classification(label_predictions(table, CLASSES), resamples=20, seed=0)

    assert evaluation.classification is not None
    assert again is not None
    assert again.to_dict() == evaluation.classification.to_dict()


def test_the_page_is_self_contained_and_describes_its_images(page: str) -> None:
    reader = PageReader(page)

    assert reader.addresses
    assert all(address.startswith("data:image/") for address in reader.addresses)
    assert not reader.undescribed
    assert not re.search(r"<script|@import|url\(|https?://", page)


def test_the_page_shows_the_figures_with_their_intervals(evaluation: Evaluation, page: str) -> None:
    assert evaluation.classification is not None
    for figure in (evaluation.classification.f1["mel"], evaluation.classification.balanced_accuracy):
        assert f"{figure.value:.3f}" in page
        assert f"{figure.low:.3f}–{figure.high:.3f}" in page
    assert "melanocytic naevus" in page
    assert page.count("not a medical device") == 1


def test_the_page_shows_coverage_and_groups(page: str) -> None:
    assert "Without the diagnoses that a note casts doubt on (1 of 4)" in page
    assert "Notes: low confidence (1)." in page
    assert "Risk and coverage" in page
    assert re.search(r"Sex</th>.*female</th><td>4</td><td>2</td>", page, re.DOTALL)


def test_the_coverage_can_be_scored_again(evaluation: Evaluation, folder: Path) -> None:
    table = read_predictions(folder / "predictions.csv")

    again = score_abstention(label_predictions(table, CLASSES), resamples=20, seed=0)

    assert again is not None
    assert again.to_dict() == evaluation.abstention.to_dict()
    assert again.kept == 3


def test_what_comes_from_outside_can_not_change_the_page() -> None:
    evil = "<script>alert(1)</script>"

    page = render_report(an_evaluation(["mel"], [0.5], (Failure(evil, evil),), (evil,)))

    assert evil not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_dataset_without_masks_has_no_part_on_masks(tmp_path: Path) -> None:
    evaluation = an_evaluation(["mel", "nv"], [np.nan, np.nan])

    page = write_evaluation(evaluation, tmp_path).read_text()

    assert "Confusion matrix" in page
    assert "Jaccard of every image" not in page


def test_a_dataset_without_diagnoses_has_no_part_on_diagnoses(tmp_path: Path) -> None:
    evaluation = an_evaluation([None, None], [0.9, 0.8])

    page = write_evaluation(evaluation, tmp_path).read_text()

    assert "Jaccard of every image" in page
    assert "Confusion matrix" not in page
    assert not (tmp_path / "confusion.png").exists()


def test_a_class_without_support_is_shown_as_not_defined() -> None:
    page = render_report(an_evaluation(["mel", "mel"], [np.nan, np.nan]))

    assert "not defined" in page
    assert not re.search(r"\bnan\b", re.sub(r"data:image/[^\"]*", "", page), re.IGNORECASE)
