"""What is wrong with a dataset's tables: cells, rows and whole files by which labels or lesions would be lost."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from data.datasets.diagnoses import DIAGNOSES
from data.datasets.errors import DatasetError, DatasetWarning
from data.datasets.labels import diagnosis_code
from data.datasets.listing import DatasetFiles, image_ids
from data.datasets.one_hot import ONE_HOT_CODES, bad_cells, one_hot_rows, rows_without_one_class
from data.datasets.tables import COLUMN_NAMES, Table

BAD_CELL = "cell that is neither 0 nor 1"
CONTRADICTION = "contradicting diagnoses of an image"
UNCLEAR_ROW = "row without exactly one class"
UNNAMED_ROW = "row without an image"
UNUSED_TABLE = "table that is not used"
CONTRADICTING_LESIONS = "contradicting lesions of an image"
NO_LESION = "image without a lesion's id"
CONTRADICTING_COLUMN = "column that contradicts the one that is used"
CONTRADICTING_FOLDER = "folder that contradicts the table"
SEVERAL_FILES = "image with several files that differ"

FAULT_MENDS = {
    BAD_CELL: "write 0 or 1 into every cell of a class",
    CONTRADICTION: "keep the diagnosis that is right",
    UNCLEAR_ROW: "write a single 1 into the row; until then the image has no diagnosis",
    UNNAMED_ROW: "name its image; until then the row is left out",
    UNUSED_TABLE: "mend it, or remove it if it is not meant to be read",
    CONTRADICTING_LESIONS: "keep the lesion that is right; the first is used",
    NO_LESION: "fill in the lesion's id; until then other images of this lesion may land in another split",
    CONTRADICTING_COLUMN: "remove the column that is not meant",
    CONTRADICTING_FOLDER: "keep the diagnosis that is right; the table's is used",
    SEVERAL_FILES: "keep one, or name the images with their folders in the table; the first is used",
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
        *(Fault(UNUSED_TABLE, place) for place in _spreadsheets(files, rows)),
        *(fault for table in files.tables for fault in _faults_of_table(table)),
        *_contradictions(files.tables, rows),
        *(Fault(CONTRADICTING_FOLDER, place) for place in _contradicting_folders(files, rows)),
        *(Fault(SEVERAL_FILES, place) for place in _several_files(files, rows)),
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
    unnamed = frame[frame["image_id"].isna()]
    yield from (
        Fault(UNNAMED_ROW, f"{table.path}: {', '.join(row.dropna())[:60]}") for _, row in unnamed.iterrows()
    )
    yield from (Fault(CONTRADICTING_COLUMN, place) for place in _contradicting_columns(table, frame))
    if one_hot_rows(table) is not None:
        yield from (Fault(BAD_CELL, place) for place in bad_cells(table))
        yield from (Fault(UNCLEAR_ROW, place) for place in rows_without_one_class(table))
    elif len(ONE_HOT_CODES.intersection(table.columns)) > 1 and "dx" not in table.columns:
        yield Fault(UNUSED_TABLE, f"{table.path}: holds predictions and no labels")
    elif not _KNOWN.intersection(table.columns):
        yield Fault(UNUSED_TABLE, f"{table.path}: has no column that is used, besides that of images")


_KNOWN = frozenset({"dx", "lesion_id", "age", "sex", "localization", "dx_type", "mask", "melanoma"})


def _contradicting_columns(table: Table, frame: pd.DataFrame) -> Iterator[str]:
    """Where a further column of diagnoses says another than the one that is used."""
    for other in [name for name in COLUMN_NAMES["dx"][1:] if {"dx", name}.issubset(table.columns)]:
        for image, used, left in frame[["image_id", "dx", other]].dropna().itertuples(index=False):
            if not _fits(left, used):
                yield f"{table.path}: {image}: {used}, in {other} {left}"


def _contradicting_folders(files: DatasetFiles, rows: pd.DataFrame) -> Iterator[str]:
    """Where an image lies in the folder of another diagnosis than its row says."""
    for row in rows.dropna(subset="dx").itertuples():
        path = files.images.find(str(row.image_id))
        folders = path.relative_to(files.root).parts[:-1] if path else ()
        if not all(_fits(folder, str(row.dx)) for folder in folders):
            yield f"{path}: {row.dx}"


def _fits(said: str, label: str) -> bool:
    """Whether what is said of a label's image, if it is a diagnosis at all, leaves the label as it is."""
    other, code = diagnosis_code(said), diagnosis_code(label)
    if other not in DIAGNOSES or code not in DIAGNOSES or "unknown" in {other, code}:
        return True
    if {other, code}.isdisjoint({"malignant", "benign"}):
        return _SAME.get(other, other) == _SAME.get(code, code)
    return DIAGNOSES[other].malignancy == DIAGNOSES[code].malignancy


def _several_files(files: DatasetFiles, rows: pd.DataFrame) -> Iterator[str]:
    """Images that are named without folders and have files of different sizes in several."""
    for image_id in rows["image_id"].drop_duplicates():
        paths = files.images.find_all(str(image_id))
        if len(paths) > 1 and len({_bytes_of(path) for path in paths}) > 1:
            yield f"{image_id}: {', '.join(str(path.relative_to(files.root)) for path in paths[:3])}"


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reading it will say so
        return 0


def _spreadsheets(files: DatasetFiles, rows: pd.DataFrame) -> Iterator[str]:
    """Files that may hold the diagnoses of a dataset that has none; PH2 ships one beside its table."""
    if rows["dx"].isna().all():
        for path in files.others:
            if path.suffix.lower() in _SPREADSHEETS:
                yield f"{path}: is not read; save it as csv"


_SPREADSHEETS = frozenset({".xlsx", ".xls", ".ods", ".parquet", ".feather"})


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
