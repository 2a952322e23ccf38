"""Predictions on standard output: a table for a person, a table for a pipe, or one JSON document."""

# ruff: noqa: PLC0415 - rich is imported where a terminal needs it

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from data.datasets.diagnoses import diagnosis_name
from data.text import visible
from pipeline.bundle.loading import Bundle
from pipeline.prediction.predictor import NO_RELIABLE_ANSWER, UNLIKE_TRAINING

if TYPE_CHECKING:
    from pipeline.prediction.outputs import Facts

HEADER = ("image", "diagnosis", "confidence", "malignant", "lesion area", "notes")

# A person reads no more rows than this; a pipe, a file or --json gets them all.
MOST_ROWS = 200


class PredictionPrinter(Protocol):
    """Prints the outcome of one image after the other."""

    def add(self, source: Path, facts: "Facts") -> None:
        """Print a prediction."""

    def fail(self, source: Path, error: str) -> None:
        """Print that there is none; standard error has said why."""


@contextmanager
def prediction_printer(
    stream: TextIO, bundle: Bundle, first: Iterable[Path], as_json: bool
) -> Iterator[PredictionPrinter]:
    """Yield the printer that suits the stream and the user's wish.

    Parameters
    ----------
    stream : where to print; a terminal gets a table with colours, anything else plain lines as they come
    bundle : whose predictions they are
    first : the first images that will come; the first column is as wide as the longest of them
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
        yield PlainTable(stream, bundle.classes, first)


class JsonDocument:
    """`{"bundle": ..., "classes": [...], "images": [...]}`, with one image a line, written as they come."""

    def __init__(self, stream: TextIO, bundle: Bundle) -> None:
        self._stream = stream
        self._separator = "\n"
        head = f'"bundle": {json.dumps(bundle.name)}, "classes": {json.dumps(bundle.classes)}'
        stream.write(f'{{{head}, "images": [')

    def add(self, source: Path, facts: "Facts") -> None:
        self._write({"image": str(source), **facts})

    def fail(self, source: Path, error: str) -> None:
        self._write({"image": str(source), "error": error})

    def close(self) -> None:
        self._stream.write("\n]}\n")

    def _write(self, entry: dict[str, Any]) -> None:
        self._stream.write(f"{self._separator}{json.dumps(entry)}")
        self._separator = ",\n"


class PlainTable:
    """Aligned lines without colours, cut nowhere, written as they come."""

    def __init__(self, stream: TextIO, classes: Sequence[str], first: Iterable[Path]) -> None:
        self._stream = stream
        self._widths = (
            max(map(len, [HEADER[0], *map(shown, first)])),
            max(map(len, [HEADER[1], *map(_diagnosis, classes)])),
            *map(len, HEADER[2:]),
        )
        self._write(HEADER)

    def add(self, source: Path, facts: "Facts") -> None:
        self._write(cells(source, facts))

    def fail(self, source: Path, error: str) -> None:
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

    def add(self, source: Path, facts: "Facts") -> None:
        self._add_row(cells(source, facts), "red" if (facts["malignant"] or 0) >= 0.5 else "")

    def fail(self, source: Path, error: str) -> None:
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


def cells(source: Path, facts: "Facts") -> tuple[str, ...]:
    """The texts of `HEADER`'s columns."""
    return (
        shown(source),
        _headed(facts),
        f"{facts['confidence']:.1%}",
        "" if facts["malignant"] is None else f"{facts['malignant']:.1%}",
        f"{facts['lesion_fraction']:.1%}",
        "; ".join(facts["notes"]),
    )


def shown(path: Path) -> str:
    """A path as text that every terminal can print, whatever bytes the file system let into its name."""
    return visible(os.fsencode(path).decode("utf-8", "replace"))


def _headed(facts: "Facts") -> str:
    """The diagnosis, behind the headline where there is one."""
    named = _diagnosis(facts["diagnosis"])
    return f"{NO_RELIABLE_ANSWER}, else {named}" if UNLIKE_TRAINING in facts["notes"] else named


def _diagnosis(code: str) -> str:
    name = diagnosis_name(code)
    return code if name == code else f"{name} ({code})"
