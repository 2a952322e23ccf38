"""Predictions as Parquet files, each written whole."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.files import replacing
from pipeline.prediction.outputs import Facts, class_columns

ROWS_A_PART = 4096


def parquet_schema(classes: Sequence[str]) -> pa.Schema:
    """The columns of `predictions.csv` with their types; probabilities in full precision."""
    probabilities = ("confidence", "malignant", *class_columns(classes).values())
    return pa.schema(
        [
            ("image", pa.string()),
            ("diagnosis", pa.string()),
            *((name, pa.float64()) for name in probabilities),
            *((name, pa.int32()) for name in ("x0", "y0", "x1", "y1")),
            ("lesion_fraction", pa.float64()),
            ("view", pa.string()),
            ("notes", pa.string()),
        ]
    )


def parquet_text(name: Path) -> str:
    """A path as valid Unicode: bytes of its name that are no UTF-8 become `\\xff` and the like."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def parquet_row(name: Path, facts: Facts, classes: Sequence[str]) -> dict[str, Any]:
    """The values of `parquet_schema`; null where there is no box, or no malignancy to tell."""
    return {
        "image": parquet_text(name),
        "diagnosis": facts["diagnosis"],
        "confidence": facts["confidence"],
        "malignant": facts["malignant"],
        **{column: facts["probabilities"][name] for name, column in class_columns(classes).items()},
        **(facts["box"] or {}),
        "lesion_fraction": facts["lesion_fraction"],
        "view": facts["view"],
        "notes": "; ".join(facts["notes"]),
    }


class ParquetParts:
    """A folder of Parquet files of `ROWS_A_PART` rows; the last one may hold fewer.

    A kill loses the rows of the part that was being gathered. An end by an error or a signal writes them as a short
    part, and a run that goes on fills it up.

    Parameters
    ----------
    folder : Path
    classes : sequence of str
    prefix : str
        Of the files' names, `<prefix>-000000.parquet`; other files in the folder are left alone.
    rows_a_part : int
    """

    def __init__(
        self, folder: Path, classes: Sequence[str], prefix: str = "part", rows_a_part: int = ROWS_A_PART
    ) -> None:
        self._folder = folder
        self._schema = parquet_schema(classes)
        self._prefix = prefix
        self._rows_a_part = rows_a_part
        self._rows: list[dict[str, Any]] = []
        parts = self._parts()
        if parts and pq.read_metadata(parts[-1]).num_rows < rows_a_part:
            self._rows = pq.read_table(parts.pop()).to_pylist()
        self._full_parts = len(parts)

    def names(self) -> Iterator[str]:
        """The images of all rows."""
        for part in self._parts():
            yield from pq.read_table(part, columns=["image"])["image"].to_pylist()

    def add(self, row: dict[str, Any]) -> None:
        """Add a row; a part that is full by it is written."""
        self._rows.append(row)
        if len(self._rows) == self._rows_a_part:
            self._write()
            self._rows = []
            self._full_parts += 1

    def close(self) -> None:
        """Write what is left; a folder without rows gets an empty part, so that it can be read."""
        if self._rows or not self._full_parts:
            self._write()

    def remove(self) -> None:
        """Remove all parts."""
        for part in self._parts():
            part.unlink()
        self._rows, self._full_parts = [], 0

    def _write(self) -> None:
        path = self._folder / f"{self._prefix}-{self._full_parts:06d}.parquet"
        with replacing(path) as temporary:
            pq.write_table(pa.Table.from_pylist(self._rows, self._schema), temporary, compression="zstd")

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._prefix}-[0-9]*.parquet"))
