"""A comparison -> a folder with figures for programs, every prediction, and one page that shows the answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.datasets.diagnoses import diagnosis_name
from data.files import replacing, write_text
from data.images import read_image, read_mask
from pipeline.comparison.analysis import TEST
from pipeline.comparison.arms import BASELINE
from pipeline.comparison.plots import (
    classes_figure,
    differences_figure,
    example_picture,
    robustness_figure,
)
from pipeline.comparison.results import FIGURE_NAMES, Comparison
from pipeline.reports.pages import template_environment
from pipeline.reports.pictures import jpeg_uri
from pipeline.reports.plots import themed_plot
from segmentation.cropping import lesion_box

EXAMPLES_OF_A_KIND = 7


class Example(NamedTuple):
    """A test image that one arm names rightly in every seed, and the other in none: what that one `said` mostly."""

    image_id: str
    reference: str
    said: str
    picture: str


def write_comparison(comparison: Comparison, folder: str | Path) -> Path:
    """Write `comparison.json`, `predictions.csv`, `robustness.csv` and `report.html`; return the report's path.

    Each file appears whole; those of an earlier comparison are replaced.
    """
    folder = Path(folder)
    figures = json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(folder / "comparison.json", figures + "\n")
    as_they_are = comparison.predictions["condition"] == TEST
    tables = {"predictions.csv": comparison.predictions[as_they_are].drop(columns="condition")}
    if comparison.conditions:
        tables["robustness.csv"] = comparison.predictions[~as_they_are]
    for name, table in tables.items():
        with replacing(folder / name) as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g")
    write_text(folder / "report.html", render_comparison(comparison))
    return folder / "report.html"


def render_comparison(comparison: Comparison) -> str:
    """The comparison as one html page that needs no other file and no network."""
    environment = template_environment()
    environment.globals["is_defined"] = np.isfinite
    return environment.get_template("comparison.html").render(
        comparison=comparison,
        figure_names=FIGURE_NAMES,
        diagnosis_name=diagnosis_name,
        differences=themed_plot(
            "Differences",
            "Each arm minus what it is compared with, on the same test images, with 95% intervals.",
            lambda theme: differences_figure(comparison.contrasts, comparison.smallest_difference, theme),
        ),
        classes=themed_plot(
            "F1 of each class",
            "On average over the seeds, with 95% intervals.",
            lambda theme: classes_figure(comparison.arms, comparison.support, theme),
        ),
        robustness=themed_plot(
            "Balanced accuracy on perturbed test images",
            "The same trained arms; the lesion is looked for anew in every perturbed image.",
            lambda theme: robustness_figure(comparison.conditions, theme),
        )
        if comparison.conditions
        else None,
        main=comparison.main_contrast,
        examples=_examples(comparison),
    )


def _examples(comparison: Comparison) -> dict[str, list[Example]]:
    """Test images on which the main arm and the baseline disagree in every seed, by which of them is right."""
    main = comparison.main_contrast.arm
    table = comparison.predictions[comparison.predictions["condition"] == TEST]
    table = table.assign(right=table["diagnosis"] == table["dx"])
    right = table.pivot_table(index="image_id", columns="arm", values="right", aggfunc="mean")
    said = table.pivot_table(
        index="image_id", columns="arm", values="diagnosis", aggfunc=lambda names: names.mode().iloc[0]
    )
    examples = {}
    for winner, loser in ((main, BASELINE), (BASELINE, main)):
        ids = right.index[(right[winner] == 1) & (right[loser] == 0)]
        images = comparison.images[comparison.images["image_id"].isin(ids)]
        chosen = _of_all_classes(images, EXAMPLES_OF_A_KIND)
        examples[winner] = list(_pictured(chosen, said[loser], comparison.arms[main].arm.margin))
    return examples


def _of_all_classes(images: pd.DataFrame, most: int) -> pd.DataFrame:
    """The first image of each class, then the second of each, until there are enough."""
    turn = images.groupby("dx").cumcount()
    return images.assign(turn=turn).sort_values(["turn", "dx"]).head(most)


def _pictured(images: pd.DataFrame, said: pd.Series, margin: float) -> Iterator[Example]:
    for image in images.to_dict("records"):
        mask = read_mask(image["found_path"])
        picture = example_picture(read_image(image["image_path"]), mask, lesion_box(mask, margin))
        yield Example(image["image_id"], image["dx"], said[image["image_id"]], jpeg_uri(picture))
