"""The table of measurements, `measurements.csv`: lesions in millimetres where the spacing is known."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.dicom.codes import MEASUREMENTS
from pipeline.dicom.folder import IDS
from pipeline.prediction.outputs import csv_cell

NAME = "measurements.csv"
_AREA, _DIAMETER, *_SHAPES = MEASUREMENTS


def table_columns(ids: bool) -> tuple[str, ...]:
    """The columns; with `ids` those of patient and examination, too."""
    head = (
        "image",
        "row_spacing_mm",
        "column_spacing_mm",
        "area_mm2",
        "diameter_mm",
        "area_px",
        "diameter_px",
    )
    return (*head, *(name.lower().replace(" ", "_") for name in _SHAPES), *(IDS if ids else ()))


def table_row(image: Path, facts: Mapping[str, Any]) -> list[str]:
    """The values of `table_columns`; empty where there is nothing to tell.

    Parameters
    ----------
    image : Path
    facts : what `DicomFolder.write` returned
        Sizes stand in the columns of their unit: millimetres or pixels, never both.
    """
    values = {name: f"{value:.6g}" for name, (value, _) in facts["measurements"].items()}
    sizes, none = [values.get(name, "") for name in (_AREA, _DIAMETER)], ["", ""]
    known = facts["spacing"] is not None
    return [
        csv_cell(image),
        *(map(str, facts["spacing"]) if known else none),
        *(sizes if known else none),
        *(none if known else sizes),
        *(values.get(name, "") for name in _SHAPES),
        *map(csv_cell, facts.get("ids", {}).values()),
    ]
