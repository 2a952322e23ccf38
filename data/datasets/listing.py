"""What lies in a dataset's folder: its images, its masks and its tables."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from data.datasets.errors import DatasetError
from data.datasets.finding import (
    IMAGE_SUFFIXES,
    MASK_ENDINGS,
    PH2_MASK_ENDING,
    is_image_name,
    picture_kind,
)
from data.datasets.tables import Table, open_table
from data.datasets.walking import visible_files


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
        return next(iter(self.find_all(image_id)), None)

    def find_all(self, image_id: str) -> list[Path]:
        """All files that `find` could mean."""
        *folders, stem = image_id.casefold().split("/")
        return [
            path
            for parents, path in self._by_stem.get(stem, ())
            if not folders or list(parents[-len(folders) :]) == folders
        ]


@dataclass(frozen=True)
class DatasetFiles:
    """The visible files under a dataset's folder, told apart by name, folder and header.

    Attributes
    ----------
    root : Path
    images, masks : Pictures
    tables : tuple of Table
    others : tuple of Path
        All files but pictures, the tables among them.
    no_tables : dict of Path to str
        Files that should be tables by their suffix, and why they are none.
    """

    root: Path
    images: Pictures
    masks: Pictures
    tables: tuple[Table, ...]
    others: tuple[Path, ...]
    no_tables: Mapping[Path, str] = field(default_factory=dict)


def list_dataset(root: str | Path) -> DatasetFiles:
    """List a dataset's folder and everything below it.

    Raises
    ------
    DatasetError
        If there is no such folder, a table in it can't be opened, or a file's name is not UTF-8, as no table could
        name it.
    """
    root = Path(root)
    if not root.is_dir():
        mend = "give the folder that holds it" if root.is_file() else "check the path"
        raise DatasetError(f"{root}: is not a folder; {mend}.")
    files = list(visible_files(root, _refuse_closed))
    for path in (root, *files):
        _refuse_other_letters(path)
    pictures = [path for path in files if is_image_name(path)]
    others = [path for path in files if not is_image_name(path)]
    by_kind: dict[str, list[Path]] = defaultdict(list)
    for path in pictures:
        by_kind[picture_kind(path.relative_to(root))].append(path)
    opened = {path: open_table(path) for path in others}
    return DatasetFiles(
        root=root,
        images=Pictures(root, by_kind["image"]),
        masks=Pictures(root, by_kind["mask"], (*MASK_ENDINGS, PH2_MASK_ENDING)),
        tables=tuple(table for table in opened.values() if isinstance(table, Table)),
        others=tuple(others),
        no_tables={path: reason for path, reason in opened.items() if isinstance(reason, str)},
    )


def _refuse_closed(folder: Path) -> None:
    raise DatasetError(f"{folder}: can't be listed; change its permissions, or remove it from the dataset.")


def _refuse_other_letters(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DatasetError(
            f"{ascii(str(path))[1:-1]}: this name is not UTF-8; rename it (or set LC_ALL=C.UTF-8, if others show it)."
        ) from None


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
