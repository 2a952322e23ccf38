"""`predictions.csv`: an evaluation's predictions as a file, to be read and scored again."""

from pathlib import Path

import pandas as pd

from data.files import replacing
from data.text import plain_cell, spreadsheet_cell
from data.written_tables import read_written_table

NAMES = ("image_id", "lesion_id")
NOTES_SEPARATOR = "; "


def write_predictions(predictions: pd.DataFrame, path: Path) -> None:
    """Write `Evaluation.predictions`; the file appears whole."""
    notes = predictions["notes"].map(NOTES_SEPARATOR.join)
    with replacing(path) as temporary:
        names = {column: predictions[column].map(spreadsheet_cell, na_action="ignore") for column in NAMES}
        predictions.assign(notes=notes, **names).to_csv(temporary, index=False)


def read_predictions(path: str | Path) -> pd.DataFrame:
    """The `Evaluation.predictions` that a file holds."""
    predictions = read_written_table(path)
    notes = [
        tuple(text.split(NOTES_SEPARATOR)) if text else ()
        for text in predictions["notes"].fillna("").map(str)
    ]
    names = {column: predictions[column].map(plain_cell, na_action="ignore") for column in NAMES}
    return predictions.assign(**names, notes=pd.Series(notes, index=predictions.index, dtype=object))
