"""What is wrong with a dataset's tables: cells, rows and whole files by which labels or lesions would be lost."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data.datasets.errors import DatasetError, DatasetWarning
from data.datasets.labels import diagnosis_code
from data.datasets.listing import DatasetFiles, image_ids
from data.datasets.one_hot import ONE_HOT_CODES, bad_cells, one_hot_rows, rows_without_one_class
from data.datasets.tables import Table

BAD_CELL = "cell that is neither 0 nor 1"
CONTRADICTION = "contradicting diagnoses of an image"
UNCLEAR_ROW = "row without exactly one class"
UNUSED_TABLE = "table that is not used"
CONTRADICTING_LESIONS = "contradicting lesions of an image"
NO_LESION = "image without a lesion's id"

FAULT_MENDS = {
    BAD_CELL: "write 0 or 1 into every cell of a class",
    CONTRADICTION: "keep the diagnosis that is right",
    UNCLEAR_ROW: "write a single 1 into the row; until then the image has no diagnosis",
    UNUSED_TABLE: "mend it, or remove it if it is not meant to be read",
    CONTRADICTING_LESIONS: "keep the lesion that is right; the first is used",
    NO_LESION: "fill in the lesion's id; until then other images of this lesion may land in another split",
}
_FATAL = (BAD_CELL, CONTRADICTION)

# Of these two codes datasets use either for the same lesions.
_SAME = {"ak": "akiec"}


class Fault(NamedTuple):
    """One thing that is wrong: of which kind, and where."""

    kind: str
    place: str


def faults_of(files: DatasetFiles, rows: pd.DataFrame) -> tuple[Fault, ...]:
    """All that is wrong with a dataset's tables.

    Parameters
    ----------
    files : DatasetFiles
    rows : DataFrame
        The rows of the layout that fits, with `image_id`, `key`, `dx` and `lesion_id`.
    """
    return (
        *(Fault(UNUSED_TABLE, f"{path}: {reason}") for path, reason in files.no_tables.items()),
        *(fault for table in files.tables for fault in _faults_of_table(table)),
        *_contradictions(files.tables, rows),
        *(
            Fault(NO_LESION, str(image))
            for image in rows.loc[
                rows["lesion_id"].isna() & bool(rows["lesion_id"].notna().any()), "image_id"
            ]
        ),
    )


def stop_or_warn(path: str | Path, faults: Sequence[Fault]) -> None:
    """Raise `DatasetError` for a fault by which labels would be wrong, and warn once of every other kind."""
    for kind, mend in FAULT_MENDS.items():
        places = [fault.place for fault in faults if fault.kind == kind]
        if not places:
            continue
        others = f" and {len(places) - 1} more" if len(places) > 1 else ""
        sentence = f"{path}: {kind}: {places[0]}{others}; {mend}."
        if kind in _FATAL:
            raise DatasetError(sentence)
        warnings.warn(sentence, DatasetWarning, stacklevel=3)


def _faults_of_table(table: Table) -> Iterator[Fault]:
    frame = table.read()
    if frame.empty:
        yield Fault(UNUSED_TABLE, f"{table.path}: has a header and no rows")
        return
    if one_hot_rows(table) is not None:
        yield from (Fault(BAD_CELL, place) for place in bad_cells(table))
        yield from (Fault(UNCLEAR_ROW, place) for place in rows_without_one_class(table))
    elif len(ONE_HOT_CODES.intersection(table.columns)) > 1 and "dx" not in table.columns:
        yield Fault(UNUSED_TABLE, f"{table.path}: holds predictions and no labels")
    elif not _KNOWN.intersection(table.columns):
        yield Fault(UNUSED_TABLE, f"{table.path}: has no column that is used, besides that of images")


_KNOWN = frozenset({"dx", "lesion_id", "age", "sex", "localization", "dx_type", "mask", "melanoma"})


def _contradictions(tables: Sequence[Table], rows: pd.DataFrame) -> Iterator[Fault]:
    for column, kind in (("dx", CONTRADICTION), ("lesion_id", CONTRADICTING_LESIONS)):
        statements = pd.concat([rows[["key", column]], *_statements(tables, column)]).dropna()
        statements = statements.replace({column: _SAME}).drop_duplicates()
        for key, said in statements[statements["key"].isin(rows["key"])].groupby("key")[column]:
            if len(said) > 1:
                yield Fault(kind, f"{key}: {', '.join(said)}")


def _statements(tables: Sequence[Table], column: str) -> Iterator[pd.DataFrame]:
    """What every table says in a column, by the image's id in lower case."""
    for table in tables:
        if column not in table.columns:
            continue
        frame = table.read().dropna(subset=["image_id", column])
        values = frame[column]
        if column == "dx":
            values = values.map(diagnosis_code)
        keys = [name.casefold() for name in image_ids(list(frame["image_id"]))]
        yield pd.DataFrame({"key": keys, column: values.to_numpy()})
