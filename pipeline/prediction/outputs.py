"""Predictions as rows of tables: our own, and the ISIC challenge's."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from data.text import spreadsheet_cell
from pipeline.bundle.loading import Bundle, BundleError

# What `Prediction.to_dict` returns.
Facts = dict[str, Any]

# The columns of the ISIC 2018 challenge's task 3 are the classes of HAM10000 in this order.
ISIC_CLASSES = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")
ISIC_COLUMNS = ("image", *(name.upper() for name in ISIC_CLASSES))

FAILURE_COLUMNS = ("image", "error")


def table_columns(classes: Sequence[str]) -> tuple[str, ...]:
    """The columns of `predictions.csv`: each once, because the class "malignant" is the malignant probability."""
    head, tail = ("image", "diagnosis", "confidence", "malignant"), ("lesion_fraction", "view", "notes")
    return (*head, *class_columns(classes).values(), "x0", "y0", "x1", "y1", *tail)


def class_columns(classes: Sequence[str]) -> dict[str, str]:
    """Class -> the name of its column, which no other column has; a class "malignant" needs none of its own."""
    taken = {"image", "diagnosis", "confidence", "x0", "y0", "x1", "y1", "lesion_fraction", "view", "notes"}
    return {name: f"class {name}" if name in taken else name for name in classes if name != "malignant"}


def table_row(source: Path, facts: Facts, classes: Sequence[str]) -> list[str]:
    """The values of `table_columns`; empty where there is no box, or no malignancy to tell."""
    malignant, box = facts["malignant"], facts["box"]
    return [
        csv_cell(source),
        csv_cell(facts["diagnosis"]),
        f"{facts['confidence']:.6f}",
        "" if malignant is None else f"{malignant:.6f}",
        *(f"{facts['probabilities'][name]:.6f}" for name in class_columns(classes)),
        *(map(str, box.values()) if box else ("",) * 4),
        f"{facts['lesion_fraction']:.6f}",
        facts["view"],
        csv_cell("; ".join(facts["notes"])),
    ]


def isic_row(name: str, facts: Facts) -> list[str]:
    """The image's name and its probabilities in the order of `ISIC_CLASSES`; 0 for a class that is not told.

    No digit is lost, so that the scorer ranks images and classes as they are ranked here.
    """
    probabilities = facts["probabilities"]
    return [csv_cell(name), *(repr(probabilities.get(diagnosis, 0.0)) for diagnosis in ISIC_CLASSES)]


def csv_cell(text: str | os.PathLike[str]) -> str:
    """Text or a path as a csv may hold it, see `data.text.spreadsheet_cell`."""
    return spreadsheet_cell(os.fspath(text))


def csv_line(cells: Iterable[str]) -> bytes:
    """One line of a csv file; file names need not be UTF-8, and what is not goes out as it came in."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode("utf-8", "surrogateescape")


def check_isic_classes(bundle: Bundle) -> None:
    """Raise `BundleError` where the bundle tells classes apart that the challenge's scorer has no column for."""
    if others := [name for name in bundle.classes if name not in ISIC_CLASSES]:
        raise BundleError(
            f"{bundle.folder}: knows classes without a column in the ISIC 2018 challenge ({', '.join(others)}); "
            "leave out --isic, or give a bundle that was trained on the challenge's classes."
        )
