"""Text files with a header line -> tables by the catalog's names of columns."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.datasets.errors import DatasetError
from data.regular_files import read_regular_file

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt", ""})
SEPARATORS = ",\t;|"
MOST_BYTES = 500_000_000
HEADER_BYTES = 100_000

# What datasets call the catalog's columns, the likeliest name first.
COLUMN_NAMES = {
    "image_id": (
        *("image_id", "image", "image_name", "isic_id", "filename", "file_name", "file", "image_file"),
        *("image_path", "path", "img_id", "img"),
    ),
    "dx": ("dx", "diagnosis", "label", "class"),
    "dx_type": ("dx_type", "diagnosis_confirm_type"),
    "lesion_id": ("lesion_id", "lesion"),
    "age": ("age", "age_approx", "age_approximate"),
    "sex": ("sex",),
    "localization": ("localization", "anatom_site_general", "anatom_site"),
    "mask": ("mask", "mask_path"),
}
# Of what pandas takes for a missing value, the words that no one names an image or a class by.
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>", "#n/a"})


@dataclass(frozen=True)
class Table:
    """A text file with a header line; `columns` are in lower case, and by the catalog's names if known."""

    path: Path
    separator: str
    columns: tuple[str, ...]

    def read(self) -> pd.DataFrame:
        """All values as text, missing where the cell is empty, of the columns that have a name.

        Raises
        ------
        DatasetError
            If the file can't be read, a row has more cells than the header, or a column that is needed comes twice.
        """
        rows = []
        try:
            lines = _lines(read_regular_file(self.path, MOST_BYTES))
            reader = csv.reader(lines, delimiter=self.separator, strict=True)
            for cells in reader:
                if any(cell.strip() for cell in cells[len(self.columns) :]):
                    raise DatasetError(
                        f"{self.path}: a row has more cells than the header has columns ({' '.join(cells)[:80]}); "
                        "mend it, or put cells that hold a separator into quotes."
                    )
                rows.append([_value(cell) for cell in cells] + [None] * (len(self.columns) - len(cells)))
        except (OSError, csv.Error) as error:
            reason = getattr(error, "strerror", None) or " ".join(str(error).split())
            raise DatasetError(
                f"{self.path}: the table can't be read ({reason}); mend or remove it."
            ) from error
        self._check_columns()
        rows = [row[: len(self.columns)] for row in rows[1:] if any(row)]
        frame = pd.DataFrame(rows, columns=list(self.columns), dtype=object)
        return frame.loc[:, [bool(name) for name in self.columns]]

    def _check_columns(self) -> None:
        twice = {name for name in self.columns if name and self.columns.count(name) > 1}
        if twice:
            raise DatasetError(
                f"{self.path}: has the column {', '.join(sorted(twice))} twice; keep the one that counts."
            )


def open_table(path: Path) -> Table | str | None:
    """A file as a table, or why it is none; None where it need not be one.

    Raises
    ------
    DatasetError
        If the file can't be opened.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        return None
    try:
        content = read_regular_file(path, MOST_BYTES, first=HEADER_BYTES)
    except OSError as error:
        raise DatasetError(f"{path}: can't be opened ({error.strerror}); mend or remove it.") from error
    header = next(iter(_lines(content)), "")
    separator = max(SEPARATORS, key=header.count)
    cells = next(csv.reader([header], delimiter=separator), [])
    columns = _catalog_names([cell.strip().lower() for cell in cells])
    if "image_id" in columns and len(columns) > 1:
        return Table(path, separator, columns)
    if suffix in {".txt", ""} or columns[:1] == ("pixel0000",):  # prose, or Kaggle's copies of small images
        return None
    return _no_table(header, cells)


def _no_table(header: str, cells: Sequence[str]) -> str:
    if not header.strip():
        return "is empty"
    if len(cells) < 2:
        return f"its first line ({header.strip()[:40]!a}) names fewer than two columns"
    return f"names no column of images (such as {', '.join(COLUMN_NAMES['image_id'][:4])})"


def _lines(content: bytes) -> list[str]:
    """The lines of a table from its header on, without what spreadsheets and people write above it."""
    lines = io.StringIO(_decoded(content), newline=None).readlines()
    first = 0
    while first < len(lines) and _is_above_the_header(lines[first]):
        first += 1
    return lines[first:]


def _is_above_the_header(line: str) -> bool:
    text = line.strip().lower()
    return not text.strip(SEPARATORS) or text.startswith(("#", "sep="))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if content[1:100:2].count(0) > 40:
        return content.decode("utf-16-le", errors="replace")
    if content[0:100:2].count(0) > 40:
        return content.decode("utf-16-be", errors="replace")
    return content.decode("utf-8-sig", errors="replace")


def _value(cell: str) -> str | None:
    text = cell.strip()
    return None if text.lower() in _MISSING else text


def _catalog_names(columns: list[str]) -> tuple[str, ...]:
    renamed = {}
    for catalog_name, names in COLUMN_NAMES.items():
        present = [name for name in names if name in columns]
        if present:
            renamed[present[0]] = catalog_name
    return tuple(renamed.get(column, column) for column in columns)
