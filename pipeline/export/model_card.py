"""The model card of a bundle (Mitchell et al. 2019, "Model cards for model reporting", arXiv 1810.03993)."""

import math
import shlex
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path, PureWindowsPath
from typing import Any

from classification.calibration import ReliabilityBins
from classification.encoders import ENCODERS
from data.datasets.diagnoses import diagnosis_name, malignancy
from pipeline.evaluation.subgroups import SMALLEST_GROUP, SMALLEST_KIND
from pipeline.reports.pages import template_environment
from pipeline.reports.plots import png_bytes, reliability_figure
from segmentation.engine.run_folder import FORMER_SETTINGS

CARD_FILE, CALIBRATION_FILE = "MODEL_CARD.md", "calibration.png"
PIXELS_PER_INCH = 120
# What is added to a dataset's name, and where its figures are.
TESTS = {"": "test", ", flips": "test_with_flips", ", one look": "test_of_one_look"}

Figures = Mapping[str, Any]


def write_card(fields: Figures, folder: Path) -> dict[str, Path]:
    """Write the card and, where the figures allow it, the picture of the calibration.

    Parameters
    ----------
    fields : mapping
        Of `bundle.json`, with a `precision` for each stage.
    folder : Path
        Where to write.

    Returns
    -------
    dict
        Name in the bundle -> the file.
    """
    files = {CARD_FILE: folder / CARD_FILE}
    files[CARD_FILE].write_text(model_card(fields), encoding="utf-8")
    if calibrated := _calibrated(fields["figures"]):
        files[CALIBRATION_FILE] = folder / CALIBRATION_FILE
        bins = ReliabilityBins.from_dict(calibrated[1]["reliability"])
        files[CALIBRATION_FILE].write_bytes(png_bytes(reliability_figure(bins), PIXELS_PER_INCH))
    return files


def model_card(fields: Figures) -> str:
    """Markdown text from the fields of `bundle.json`."""
    environment = template_environment(escape=False)
    environment.filters.update(
        exponential=math.exp,
        interval=_interval,
        diagnosis_name=diagnosis_name,
        malignancy=malignancy,
        counts=_counts,
    )
    calibrated = _calibrated(fields["figures"])
    return environment.get_template("model_card.md").render(
        fields,
        calibrated_on=calibrated[0] if calibrated else None,
        encoders={stage: _encoder(fields, stage) for stage in ("segmentation", "classification")},
        recorded=tuple(TESTS.values()),
        deciding=fields.get("second_look", fields),
        averages=list(_averages(fields["figures"])),
        kinds=_kinds,
        smallest_group=SMALLEST_GROUP,
        smallest_kind=SMALLEST_KIND,
    )


def _encoder(fields: Figures, stage: str) -> str:
    """The name of a model's encoder as its publication has it."""
    settings = FORMER_SETTINGS | fields["training"].get(stage, {}).get("settings", {})
    name: str = settings["encoder"]
    return ENCODERS[name].network if name in ENCODERS else name


def without_machine_paths(command: str) -> str:
    """The command with every path that leads out of the working folder shortened to its base name.

    Examples
    --------
    >>> without_machine_paths("lesion train segmentation /home/me/HAM10000/ --output runs/segmentation")
    'lesion train segmentation HAM10000 --output runs/segmentation'
    """
    try:
        words = shlex.split(command)
    except ValueError:  # a quote that is none
        words = command.split()
    return shlex.join(map(_without_machine_path, words))


def _without_machine_path(word: str) -> str:
    option, equals, value = word.rpartition("=")
    path = PureWindowsPath(value)  # knows both kinds of slashes
    leads_out = value.startswith(("/", "~", "..")) or path.drive
    return f"{option}{equals}{path.name}" if leads_out and path.name else word


def _calibrated(figures: Figures) -> tuple[str, Figures] | None:
    """Which images the calibration is shown of, and their scores: unseen ones where there are some."""
    sources = [(f"the unseen images of {name}", test) for name, test in figures.get("test", {}).items()]
    sources.append(("the validation images", figures["validation"]))
    for name, source in sources:
        scores = source["classification"]
        if scores and "reliability" in scores:
            return name, scores
    return None


def _averages(figures: Figures) -> Iterator[tuple[str, Figures]]:
    """Every set of images with a diagnosis whose averages stand side by side."""
    for heading, tests in TESTS.items():
        for name, test in figures.get(tests, {}).items():
            if test["classification"]:
                yield f"{name}{heading}", test["classification"]
    yield "validation", figures["validation"]["classification"]
    if with_flips := figures["validation"].get("classification_with_flips"):
        yield "validation, flips", with_flips


def _kinds(groups: list[Figures]) -> list[tuple[str, list[Figures]]]:
    """The scores of groups, those of one kind together."""
    return [(kind, list(members)) for kind, members in groupby(groups, key=lambda group: group["kind"])]


def _counts(counts: Mapping[str, int]) -> str:
    """Values with their number of images, the most frequent first; ages in their order, what is unknown last."""
    ages = any(value[0].isdigit() for value in counts)
    ranked = sorted(counts.items(), key=lambda item: (item[0] == "unknown", 0 if ages else -item[1]))
    return ", ".join(f"{value.replace('_', ' ')} {count:,}" for value, count in ranked)


def _interval(figure: Mapping[str, float | None] | None) -> str:
    if figure is None or figure["value"] is None:
        return "-"
    bounds = "" if figure["low"] is None else f" ({figure['low']:.3f}-{figure['high']:.3f})"
    return f"{figure['value']:.3f}{bounds}"
