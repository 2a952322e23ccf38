"""Tables with a column of zeros and ones a class, as ISIC 2018 task 3 and ISIC 2019 have them."""

from collections.abc import Iterator

import pandas as pd

from data.datasets.tables import Table

# ISIC writes UNK for "none of the other classes": that is a statement and no missing label.
ONE_HOT_CODES = frozenset({"mel", "nv", "bcc", "ak", "akiec", "bkl", "df", "vasc", "scc", "unk"})

_WORDS = {"true": 1.0, "false": 0.0}
# Of a table's rows, to be one of labels: so many hold zeros and ones alone, and fewer hold fractions that sum to 1, as
# predictions do.
_LEAST_WHOLE, _MOST_PREDICTED = 0.5, 0.2


def one_hot_rows(table: Table) -> pd.DataFrame | None:
    """The table's rows with their class in `dx`, or None if it has no such columns or holds predictions.

    A row with another cell than 0 and 1, or without exactly one 1, has no class.
    """
    codes = _codes(table)
    if len(codes) < 2:
        return None
    frame = table.read()
    flags = _flags(frame[codes])
    whole, sums = flags.isin([0, 1]).all(axis=1), flags.sum(axis=1)
    predicted = ~whole & ((sums - 1).abs() < 0.01)
    if frame.empty or whole.mean() < _LEAST_WHOLE or predicted.mean() >= _MOST_PREDICTED:
        return None
    clear = whole & (sums == 1)
    dx = pd.Series(None, index=frame.index, dtype=object)
    dx[clear] = flags[clear].idxmax(axis=1)
    return frame.drop(columns=codes).assign(dx=dx)


def bad_cells(table: Table) -> Iterator[str]:
    """Where a cell of a class is neither 0 nor 1, nor true nor false."""
    codes = _codes(table)
    frame = table.read()
    wrong = ~_flags(frame[codes]).isin([0, 1])
    for row in frame.index[wrong.any(axis=1)]:
        for code in wrong.columns[wrong.loc[row]]:
            value = frame.loc[row, code]
            said = "is empty" if value is None else f"is {value}"
            yield f"{table.path}: {frame.loc[row, 'image_id']}: {code.upper()} {said}"


def rows_without_one_class(table: Table) -> Iterator[str]:
    """Where a row of zeros and ones has none or several ones."""
    frame = table.read()
    flags = _flags(frame[_codes(table)])
    unclear = flags.isin([0, 1]).all(axis=1) & (flags.sum(axis=1) != 1)
    for row in frame.index[unclear]:
        yield f"{table.path}: {frame.loc[row, 'image_id']}: {int(flags.loc[row].sum())} ones"


def _codes(table: Table) -> list[str]:
    return [column for column in table.columns if column in ONE_HOT_CODES]


def _flags(cells: pd.DataFrame) -> pd.DataFrame:
    words = cells.map(lambda cell: _WORDS.get(cell.lower(), cell) if isinstance(cell, str) else cell)
    flags: pd.DataFrame = words.apply(pd.to_numeric, errors="coerce")
    return flags
