"""A comparison is written as figures, every prediction, and one page that shows the answer first."""

import dataclasses
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline.comparison.analysis import (
    arm_figures,
    compare_arms,
    prediction_table,
    stratify,
    under_conditions,
)
from pipeline.comparison.report import render_comparison, write_comparison
from pipeline.comparison.results import Comparison
from pipeline.comparison.verdict import decide, rule


@pytest.fixture(scope="module")
def comparison(outcomes, arms, drawn_images) -> Comparison:
    contrasts = compare_arms(outcomes, arms)
    main = contrasts[0]
    return Comparison(
        verdict=decide(
            "crop", "full", main.differences["balanced_accuracy"], main.adjusted["balanced_accuracy"]
        ),
        rule=rule("crop", "full", 0.02),
        main_contrast=main,
        smallest_difference=0.02,
        quick=True,
        classes=outcomes.classes,
        support={"bcc": 28, "mel": 26, "nv": 26},
        arms={arm.name: arm_figures(outcomes, arm) for arm in arms},
        contrasts=contrasts,
        strata=tuple(stratify(outcomes, "crop")),
        conditions=tuple(under_conditions(outcomes, arms)),
        mask_jaccard=None,
        predictions=prediction_table(outcomes, drawn_images),
        images=drawn_images,
        notes=("This is a quick answer.",),
        facts={"Datasets": "discs <80>"},
    )


@pytest.fixture(scope="module")
def folder(comparison: Comparison, tmp_path_factory) -> Path:
    return write_comparison(comparison, tmp_path_factory.mktemp("reports") / "new").parent


def test_the_page_answers_first_and_says_that_it_was_quick(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index("Quick answer: Crop better.") < page.index("<main>")
    assert "Rule, fixed before the data were seen" in page
    assert "discs &lt;80&gt;" in page


def test_the_page_needs_no_other_file(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|srcset|href)="(?!data:)', page) == []


def test_the_page_shows_images_on_which_the_arms_disagree(comparison: Comparison) -> None:
    page = render_comparison(comparison)
    assert "Only crop is right" in page
    shown = re.findall(r"<strong>(\w+)</strong>, full says (\w+)", page)
    assert 0 < len(shown) <= 7
    assert all(reference != said for reference, said in shown)


def test_without_perturbed_images_the_page_has_no_word_of_them(comparison: Comparison) -> None:
    bare = dataclasses.replace(comparison, conditions=(), strata=(), quick=False)
    page = render_comparison(bare)
    assert "When the images are worse" not in page
    assert "Quick answer" not in page


def test_the_json_can_be_read_back(folder: Path) -> None:
    written = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert written["verdict"]["kind"] == "better"
    assert written["main_contrast"] == "crop − full"
    assert written["contrasts"][0]["differences"]["f1_mel"]["value"] > 0
    assert [condition["name"] for condition in written["conditions"]] == ["as they are", "ink"]


def test_the_table_can_be_recomputed_from_the_csv(folder: Path) -> None:
    table = pd.read_csv(folder / "predictions.csv")
    recall = (
        table.assign(right=table["diagnosis"] == table["dx"])
        .groupby(["arm", "seed", "dx"])["right"].mean()
        .groupby(["arm", "seed"]).mean()
        .groupby("arm").mean()
    )  # fmt: skip
    written = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    difference = written["contrasts"][0]["differences"]["balanced_accuracy"]["value"]
    assert recall["crop"] - recall["full"] == pytest.approx(difference)
    assert set(pd.read_csv(folder / "robustness.csv")["condition"]) == {"ink"}


def test_the_terminal_gets_the_verdict_and_the_tables(comparison: Comparison) -> None:
    text = comparison.to_text()
    assert text.startswith("Quick answer: Crop better.\ncrop minus full is +0.")
    assert "crop − centre-crop" in text
