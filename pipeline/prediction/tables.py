"""Predictions on standard output: a table for a person, a table for a pipe, or one JSON document."""

# ruff: noqa: PLC0415 - rich is imported where a terminal needs it

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from data.datasets.diagnoses import diagnosis_name
from data.images import ImageError
from pipeline.bundle.loading import Bundle
from pipeline.prediction.predictor import Prediction

HEADER = ("image", "diagnosis", "confidence", "malignant", "lesion area", "notes")

# A person reads no more rows than this; a pipe, a file or --json gets them all.
MOST_ROWS = 200


class PredictionPrinter(Protocol):
    """Prints the outcome of one image after the other."""

    def add(self, source: Path, prediction: Prediction) -> None:
        """Print a prediction."""

    def fail(self, source: Path, error: ImageError) -> None:
        """Print that there is none; standard error has said why."""


@contextmanager
def prediction_printer(
    stream: TextIO, bundle: Bundle, sources: Sequence[Path], as_json: bool
) -> Iterator[PredictionPrinter]:
    """Yield the printer that suits the stream and the user's wish.

    Parameters
    ----------
    stream : where to print; a terminal gets a table with colours, anything else plain lines as they come
    bundle : whose predictions they are
    sources : all images that will come
    as_json : whether to print one JSON document and no table
    """
    if as_json:
        printer = JsonDocument(stream, bundle)
        yield printer
        printer.close()
    elif stream.isatty():
        terminal_table = TerminalTable()
        try:
            yield terminal_table
        finally:
            terminal_table.show()
    else:
        yield PlainTable(stream, bundle.classes, sources)


class JsonDocument:
    """`{"bundle": ..., "classes": [...], "images": [...]}`, with one image a line, written as they come."""

    def __init__(self, stream: TextIO, bundle: Bundle) -> None:
        self._stream = stream
        self._separator = "\n"
        head = f'"bundle": {json.dumps(bundle.name)}, "classes": {json.dumps(bundle.classes)}'
        stream.write(f'{{{head}, "images": [')

    def add(self, source: Path, prediction: Prediction) -> None:
        self._write({"image": str(source), **prediction.to_dict()})

    def fail(self, source: Path, error: ImageError) -> None:
        self._write({"image": str(source), "error": str(error)})

    def close(self) -> None:
        self._stream.write("\n]}\n")

    def _write(self, entry: dict[str, Any]) -> None:
        self._stream.write(f"{self._separator}{json.dumps(entry)}")
        self._separator = ",\n"


class PlainTable:
    """Aligned lines without colours, cut nowhere, written as they come."""

    def __init__(self, stream: TextIO, classes: Sequence[str], sources: Iterable[Path]) -> None:
        self._stream = stream
        self._widths = (
            max(map(len, [HEADER[0], *map(shown, sources)])),
            max(map(len, [HEADER[1], *map(_diagnosis, classes)])),
            *map(len, HEADER[2:]),
        )
        self._write(HEADER)

    def add(self, source: Path, prediction: Prediction) -> None:
        self._write(cells(source, prediction))

    def fail(self, source: Path, error: ImageError) -> None:
        self._write((shown(source), "failed", "", "", "", ""))

    def _write(self, row: Sequence[str]) -> None:
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, self._widths, strict=True))
        self._stream.write(line.rstrip() + "\n")


class TerminalTable:
    """A table for a person, shown at the end; the first `MOST_ROWS` rows of it."""

    def __init__(self) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        self._table = Table(box=SIMPLE_HEAD, pad_edge=False)
        self._images = 0
        for heading in HEADER:
            numeric = heading in HEADER[2:5]
            self._table.add_column(
                heading, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold"
            )

    def add(self, source: Path, prediction: Prediction) -> None:
        self._add_row(cells(source, prediction), "red" if prediction.malignant >= 0.5 else "")

    def fail(self, source: Path, error: ImageError) -> None:
        self._add_row((shown(source), "failed"), "dim")

    def show(self) -> None:
        from rich.console import Console

        console = Console()
        if self._images:
            console.print(self._table)
        if self._images > MOST_ROWS:
            console.print(f"and {self._images - MOST_ROWS} more; --output DIR and --json hold all of them.\n")

    def _add_row(self, row: Iterable[str], style: str) -> None:
        from rich.text import Text

        self._images += 1
        if self._images <= MOST_ROWS:
            self._table.add_row(*map(Text, row), style=style)


def cells(source: Path, prediction: Prediction) -> tuple[str, ...]:
    """The texts of `HEADER`'s columns."""
    return (
        shown(source),
        _headed(prediction),
        f"{prediction.confidence:.1%}",
        "" if math.isnan(prediction.malignant) else f"{prediction.malignant:.1%}",
        f"{prediction.lesion_fraction:.1%}",
        "; ".join(prediction.notes),
    )


def shown(path: Path) -> str:
    """A path as text that every terminal can print, whatever bytes the file system let into its name."""
    return os.fsencode(path).decode("utf-8", "replace")


def _headed(prediction: Prediction) -> str:
    """The diagnosis, behind the headline where there is one."""
    named = _diagnosis(prediction.diagnosis)
    return f"{prediction.headline}, else {named}" if prediction.headline else named


def _diagnosis(code: str) -> str:
    name = diagnosis_name(code)
    return code if name == code else f"{name} ({code})"
