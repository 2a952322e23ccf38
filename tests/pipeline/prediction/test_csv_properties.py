"""Whatever a file is called and whatever was found, the tables say the same when they are read back."""

import csv
import io
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.text import plain_cell, visible
from pipeline.evaluation.predictions_table import read_predictions, write_predictions
from pipeline.prediction.outputs import csv_line, isic_row, table_columns, table_row

quickly = settings(max_examples=100, derandomize=True, deadline=None)
CLASSES = ("bcc", "mel", "nv")

# Any bytes but a slash and a zero: of a file's name, a system asks no more.
file_names = st.binary(min_size=1, max_size=40).map(
    lambda name: os.fsdecode(bytes(byte for byte in name if byte not in b"/\0") or b"x")
)
words = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
probabilities = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def facts(values: list[float], notes: tuple[str, ...]) -> dict:
    return {
        "diagnosis": "mel",
        "confidence": max(values),
        "malignant": values[0],
        "probabilities": dict(zip(CLASSES, values, strict=True)),
        "box": {"x0": 1, "y0": 2, "x1": 30, "y1": 40},
        "lesion_fraction": values[1],
        "view": "crop",
        "notes": list(notes),
    }


@quickly
@given(st.lists(st.tuples(file_names | words, probabilities), min_size=1, max_size=5))
@example([('"', [0, 0, 1]), ("a,b", [0, 1, 0]), ("=1", [1, 0, 0]), ("'=1", [1, 0, 0]), ("NA", [0, 0, 0])])
def test_predictions_are_read_back_by_csv_and_by_pandas(rows: list[tuple[str, list[float]]]) -> None:
    content = csv_line(table_columns(CLASSES)) + b"".join(
        csv_line(table_row(Path(name), facts(values, ("a note", name)), CLASSES)) for name, values in rows
    )
    assert content.count(b"\n") == len(rows) + 1, "a line an image"
    by_csv = list(csv.DictReader(io.StringIO(content.decode("utf-8", "surrogateescape"), newline="")))
    readable = content.decode("utf-8", "replace")  # pandas takes no name that is not UTF-8
    by_pandas = pd.read_csv(io.StringIO(readable), dtype=str, keep_default_na=False).to_dict("records")
    assert by_pandas == list(csv.DictReader(io.StringIO(readable, newline="")))
    for (name, values), row in zip(rows, by_csv, strict=True):
        assert plain_cell(row["image"]) == visible(name)
        assert plain_cell(row["notes"]) == visible(f"a note; {name}")
        assert [float(row[code]) for code in CLASSES] == pytest.approx(values, abs=5e-7)
        assert [row[side] for side in ("x0", "y0", "x1", "y1")] == ["1", "2", "30", "40"]


@quickly
@given(file_names | words, probabilities)
def test_the_challenges_table_loses_no_digit(name: str, values: list[float]) -> None:
    line = csv_line(isic_row(name, facts(values, ()))).decode("utf-8", "surrogateescape")
    (cells,) = csv.reader(io.StringIO(line, newline=""))
    assert plain_cell(cells[0]) == visible(name)
    assert [float(cell) for cell in (cells[3], cells[1], cells[2])] == values


@quickly
@given(words, words, st.lists(words.filter(lambda note: "; " not in note), max_size=3))
@example("NA", "007", ["null"])
@example("'=1", "=1", [])
def test_an_evaluations_predictions_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, image: str, lesion: str, notes: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "predictions.csv"
    table = pd.DataFrame({"image_id": [image], "lesion_id": [lesion], "mel": [0.1 + 0.2]})
    write_predictions(table.assign(notes=pd.Series([tuple(notes)], dtype=object)), path)
    again = read_predictions(path).iloc[0]
    assert (again["image_id"], again["lesion_id"]) == (visible(image), visible(lesion))
    assert again["mel"] == 0.1 + 0.2
