"""Tables that this software has written, read back as they were."""

import io
from pathlib import Path

import pandas as pd

# Numbers and words that pandas takes for missing values, such as "NA", are text here.
_TEXT = ("image_id", "lesion_id", "dx", "notes")


def read_written_table(path: str | Path | io.BytesIO) -> pd.DataFrame:
    """Read a csv file; names and notes stay text whatever they look like, and only empty cells are missing values.

    Parameters
    ----------
    path : str, Path or BytesIO

    Raises
    ------
    OSError, ValueError : the file can't be read, or is no csv.
    """
    return pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values=[""])
