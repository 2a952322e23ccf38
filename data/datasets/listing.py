"""What lies in a dataset's folder: its images, its masks and its tables."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from data.datasets.finding import (
    IMAGE_SUFFIXES,
    MASK_ENDINGS,
    PH2_MASK_ENDING,
    is_image_name,
    picture_kind,
)
from data.datasets.walking import visible_files

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt", ""})

# What datasets call the catalog's columns, the likeliest name first.
COLUMN_NAMES = {
    "image_id": ("image_id", "image", "image_name", "isic_id", "filename"),
    "dx": ("dx",),
    "dx_type": ("dx_type", "diagnosis_confirm_type"),
    "lesion_id": ("lesion_id", "lesion"),
    "age": ("age", "age_approx", "age_approximate"),
    "sex": ("sex",),
    "localization": ("localization", "anatom_site_general", "anatom_site"),
    "mask": ("mask", "mask_path"),
}


class DatasetError(Exception):
    """A dataset that can't be used; the message names the folder or file, what is wrong, and the mend."""


class Pictures:
    """Picture files that are found by an image's id, whatever the case of either.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    paths : iterable of Path
        Files under it, in the order in which they are preferred when several have the same stem.
    endings : tuple of str
        What the stem of a file may add to the image's id.
    """

    def __init__(self, root: Path, paths: Iterable[Path], endings: tuple[str, ...] = ()) -> None:
        self.paths = tuple(paths)
        self.names = tuple(path.relative_to(root).as_posix() for path in self.paths)
        self._by_stem: dict[str, list[tuple[tuple[str, ...], Path]]] = defaultdict(list)
        self._endings = endings
        for name, path in zip(self.names, self.paths, strict=True):
            folders = tuple(name.casefold().split("/")[:-1])
            self._by_stem[self.stem(path)].append((folders, path))

    def stem(self, path: Path) -> str:
        """The image's id as the file's name tells it, in lower case and without folders."""
        stem = without_suffix(path.name).casefold()
        return next((stem.removesuffix(ending) for ending in self._endings if stem.endswith(ending)), stem)

    def find(self, image_id: str) -> Path | None:
        """The file of an image; an id with folders (`"benign/7"`) fits only a file in these folders."""
        *folders, stem = image_id.casefold().split("/")
        for parents, path in self._by_stem.get(stem, ()):
            if not folders or list(parents[-len(folders) :]) == folders:
                return path
        return None


@dataclass(frozen=True)
class Table:
    """A text file with a header line; `columns` are in lower case, and by the catalog's names if known."""

    path: Path
    separator: str
    columns: tuple[str, ...]

    def read(self) -> pd.DataFrame:
        """All values as text, missing where the cell is empty."""
        try:
            frame = pd.read_csv(
                self.path,
                sep=self.separator,
                index_col=False,
                dtype=str,
                encoding="utf-8-sig",
                encoding_errors="replace",
            )
            frame.columns = pd.Index(self.columns)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise DatasetError(
                f"{self.path}: the table can't be read ({reason}); mend or remove it."
            ) from error
        stripped: pd.DataFrame = frame.apply(lambda column: column.str.strip())
        return stripped


@dataclass(frozen=True)
class DatasetFiles:
    """The visible files under a dataset's folder, told apart by name, folder and header."""

    root: Path
    images: Pictures
    masks: Pictures
    tables: tuple[Table, ...]
    others: tuple[Path, ...]


def list_dataset(root: str | Path) -> DatasetFiles:
    """List a dataset's folder and everything below it.

    Raises
    ------
    DatasetError
        If there is no such folder or a table in it can't be opened.
    """
    root = Path(root)
    if not root.is_dir():
        mend = "give the folder that holds it" if root.is_file() else "check the path"
        raise DatasetError(f"{root}: is not a folder; {mend}.")
    files = list(visible_files(root))
    pictures = [path for path in files if is_image_name(path)]
    others = [path for path in files if not is_image_name(path)]
    by_kind: dict[str, list[Path]] = defaultdict(list)
    for path in pictures:
        by_kind[picture_kind(path.relative_to(root))].append(path)
    return DatasetFiles(
        root=root,
        images=Pictures(root, by_kind["image"]),
        masks=Pictures(root, by_kind["mask"], (*MASK_ENDINGS, PH2_MASK_ENDING)),
        tables=tuple(table for path in others if (table := _open_table(path)) is not None),
        others=tuple(others),
    )


def without_suffix(name: str) -> str:
    """A file's name or path without an image's suffix; any other ending belongs to the name."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES else name


def image_ids(names: Sequence[str]) -> list[str]:
    """The ids of image files or of entries in a table: the bare name, without folders and suffix.

    Where several names differ in their folders alone (`benign/7.jpg`, `malignant/7.jpg`), the folders stay.
    """
    paths = [without_suffix(name.replace("\\", "/")) for name in names]
    stems = [path.rpartition("/")[2] for path in paths]
    sharing: dict[str, set[str]] = defaultdict(set)
    for path, stem in zip(paths, stems, strict=True):
        sharing[stem].add(path)
    return [stem if len(sharing[stem]) == 1 else path for path, stem in zip(paths, stems, strict=True)]


def _open_table(path: Path) -> Table | None:
    """The file as a table, or None if its first line is no header with a column of images."""
    if path.suffix.lower() not in TABLE_SUFFIXES:
        return None
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline(100_000)
    except OSError as error:
        raise DatasetError(f"{path}: can't be opened ({error.strerror}); mend or remove it.") from error
    separator = max(",\t;", key=header.count)
    columns = _catalog_names([cell.strip().strip('"').lower() for cell in header.split(separator)])
    return Table(path, separator, columns) if "image_id" in columns and len(columns) > 1 else None


def _catalog_names(columns: list[str]) -> tuple[str, ...]:
    renamed = {}
    for catalog_name, names in COLUMN_NAMES.items():
        present = [name for name in names if name in columns]
        if present:
            renamed[present[0]] = catalog_name
    return tuple(renamed.get(column, column) for column in columns)
