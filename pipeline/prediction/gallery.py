"""Predictions of many images as one table and as one html page."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from data.datasets.diagnoses import diagnosis_name, malignancy
from pipeline.bundle.loading import Bundle
from pipeline.prediction.outcomes import Outcome, Remarks
from pipeline.prediction.outputs import table_columns
from pipeline.prediction.wording import full_name, measure_text, percent, software, stamp
from pipeline.reports.pages import template_environment
from pipeline.reports.pictures import data_uri

# What stands behind the columns of `predictions.csv`.
MORE_COLUMNS = (
    "overruled",
    "quality",
    "millimetres_per_pixel",
    "area",
    "area_unit",
    "largest_diameter",
    "largest_diameter_unit",
    "asymmetry",
    "border_irregularity",
    "colour_variegation",
    "case",
    "own_diagnosis",
    "comment",
    "date",
    "bundle",
    "version",
)


def csv_text(outcomes: Sequence[Outcome], bundle: Bundle, now: datetime | None = None) -> str:
    """The table that `lesion predict --output` writes, and behind it what the page knows besides.

    An image that could not be used has its error as its notes. The columns behind are `MORE_COLUMNS`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*table_columns(bundle.classes), *MORE_COLUMNS))
    date = stamp(now)
    for outcome in outcomes:
        more = (*_measured_cells(outcome), *_remark_cells(outcome.remarks), date, bundle.name, software())
        writer.writerow((*outcome.row, _plain(outcome.overruled), "; ".join(outcome.quality), *more))
    return text.getvalue()


def html_page(outcomes: Sequence[Outcome], bundle: Bundle, now: datetime | None = None) -> str:
    """All outcomes on one page that needs no other file and no network."""
    return (
        template_environment()
        .get_template("gallery.html")
        .render(
            outcomes=outcomes,
            bundle=bundle,
            date=stamp(now),
            software=software(),
            diagnosis_name=diagnosis_name,
            full_name=full_name,
            malignancy=partial(malignancy, malignant=bundle.malignant),
            percent=percent,
            measure=measure_text,
            uri=partial(data_uri, "jpeg"),
        )
    )


def _measured_cells(outcome: Outcome) -> Iterable[str]:
    if not outcome.measurements:
        return ("",) * 8
    area, diameter, *ratios = outcome.measurements
    scale = "" if outcome.millimetres_per_pixel is None else f"{outcome.millimetres_per_pixel:.6g}"
    lengths = (f"{area.value:.6g}", area.unit, f"{diameter.value:.6g}", diameter.unit)
    return (scale, *lengths, *(f"{each.value:.4f}" for each in ratios))


def _remark_cells(remarks: Remarks) -> Iterable[str]:
    return map(_plain, (remarks.case, remarks.diagnosis, remarks.comment))


def _plain(text: str) -> str:
    """A reader's words as one line that no spreadsheet takes for a formula."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
