"""`predictions.csv`: an evaluation's predictions as a file, to be read and scored again."""

from pathlib import Path

import pandas as pd

from data.files import replacing

NOTES_SEPARATOR = "; "


def write_predictions(predictions: pd.DataFrame, path: Path) -> None:
    """Write `Evaluation.predictions`; the file appears whole."""
    notes = predictions["notes"].map(NOTES_SEPARATOR.join)
    with replacing(path) as temporary:
        predictions.assign(notes=notes).to_csv(temporary, index=False)


def read_predictions(path: str | Path) -> pd.DataFrame:
    """The `Evaluation.predictions` that a file holds."""
    predictions = pd.read_csv(path, dtype={"image_id": str, "lesion_id": str})
    notes = [
        tuple(text.split(NOTES_SEPARATOR)) if text else ()
        for text in predictions["notes"].fillna("").map(str)
    ]
    return predictions.assign(notes=pd.Series(notes, index=predictions.index, dtype=object))
