"""A folder of results that grows image by image, and that a killed run can go on with."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from data.files import remove_leftovers, write_text
from pipeline.bundle.loading import MANIFEST_FILE, Bundle
from pipeline.prediction.appending import GrowingTable
from pipeline.prediction.done import DoneImages
from pipeline.prediction.errors import ResultsError
from pipeline.prediction.outputs import (
    FAILURE_COLUMNS,
    ISIC_COLUMNS,
    csv_cell,
    isic_row,
    table_columns,
    table_row,
)
from pipeline.prediction.pictures import PictureFolder
from pipeline.prediction.sharding import WHOLE, Shard
from pipeline.prediction.work import Result

if TYPE_CHECKING:
    from pipeline.prediction.parquet import ParquetParts

TableFormat = Literal["csv", "parquet"]


@dataclass(frozen=True)
class ResultSettings:
    """What decides on the content of a folder of results, beside the images.

    Attributes
    ----------
    table_format : "csv" or "parquet"
    isic : bool
        Whether the formats of the ISIC challenge's scorer are added.
    pictures : bool
        Whether masks, crops and overlays are written.
    tta : bool, optional
        Whether the diagnoses are averaged over flips; None where the bundle's second look decides.
    shard : Shard
        The part of the images that this run predicts; its files are named after it.
    """

    table_format: TableFormat = "csv"
    isic: bool = False
    pictures: bool = True
    tta: bool | None = None
    shard: Shard = WHOLE


class ResultsFolder:
    """Writes results to a folder as they come, and keeps none of them. Made by `ResultsFolder.open`.

    Attributes
    ----------
    done : DoneImages
        The images whose rows an earlier run has written.
    """

    def __init__(self, folder: Path, bundle: Bundle, settings: ResultSettings) -> None:
        self.done = DoneImages()
        self._folder = folder
        self._classes = bundle.classes
        self._settings = settings
        self._facts_file = self._path("predictions", ".json")
        self._facts = _facts(bundle, settings)
        self._table: GrowingTable | None = None
        self._parts: ParquetParts | None = None
        self._isic_table: GrowingTable | None = None
        self._failures: GrowingTable | None = None

    @classmethod
    @contextmanager
    def open(
        cls, folder: str | Path, bundle: Bundle, settings: ResultSettings, resume: bool = False
    ) -> Iterator[Self]:
        """Yield the writer for a `with` block.

        The folder gets `predictions.csv`, or Parquet files under `predictions/`; with `isic` also `task3.csv`; once an
        image fails, `failures.csv`; and `predictions.json` with what decides on their content.

        Parameters
        ----------
        folder : str or Path
        bundle : Bundle
            Whose predictions they are. With `isic`, one whose classes are of `ISIC_CLASSES`.
        settings : ResultSettings
        resume : bool
            Whether to go on with what a run of the same settings has left; without one, the folder starts empty.

        Raises
        ------
        ResultsError
            If what is there can't be gone on with.
        OSError
            If the folder can't be written to.
        """
        results = cls(Path(folder), bundle, settings)
        with ExitStack() as stack:
            if resume and results._facts_file.exists():
                results._check_facts()
                results._go_on(stack)
            else:
                results._start(stack)
            yield results

    @property
    def needs_names(self) -> bool:
        """Whether the images need names for what is written for them."""
        return self._settings.pictures or self._settings.isic

    @property
    def pictures(self) -> PictureFolder | None:
        """Where the images' pictures are to be written, before `add` is called; None where there are to be none."""
        if not self._settings.pictures:
            return None
        return PictureFolder(self._folder, self._settings.isic)

    def is_done(self, name: Path) -> bool:
        """Whether an image's row is there already."""
        return len(self.done) > 0 and self._key(name) in self.done

    def add(self, result: Result) -> None:
        """Write the row of an image, or why there is none."""
        if result.facts is None:
            self._add_failure(result)
            return
        if self._isic_table:
            self._isic_table.add(isic_row(result.files, result.facts))
        if self._parts is not None:
            from pipeline.prediction.parquet import parquet_row  # noqa: PLC0415 - pyarrow is an extra

            self._parts.add(parquet_row(result.name, result.facts, self._classes))
        elif self._table:
            self._table.add(table_row(result.name, result.facts, self._classes))

    def _key(self, name: Path) -> str:
        """What the table calls the image."""
        if self._parts is None:
            return csv_cell(name)
        from pipeline.prediction.parquet import parquet_text  # noqa: PLC0415 - pyarrow is an extra

        return parquet_text(name)

    def _path(self, name: str, suffix: str) -> Path:
        return self._folder / f"{name}{self._settings.shard.ending}{suffix}"

    def _start(self, stack: ExitStack) -> None:
        """Remove what an earlier run left, the facts first: without them nobody takes the rest for this run's."""
        self._facts_file.unlink(missing_ok=True)
        self._path("failures", ".csv").unlink(missing_ok=True)
        if self._settings.isic:
            self._isic_table = stack.enter_context(self._start_table("task3", ISIC_COLUMNS))
        if self._settings.table_format == "parquet":
            self._parts = stack.enter_context(closing(self._open_parts()))
            self._parts.remove()
        else:
            columns = table_columns(self._classes)
            self._table = stack.enter_context(self._start_table("predictions", columns))
        write_text(self._facts_file, json.dumps(self._facts, indent=2) + "\n")
        self._stack = stack

    def _go_on(self, stack: ExitStack) -> None:
        if self._settings.table_format == "parquet":
            self._parts = stack.enter_context(closing(self._open_parts()))
            self.done = DoneImages(self._parts.names())
        else:
            path = self._path("predictions", ".csv")
            self._table = stack.enter_context(closing(GrowingTable.go_on(path, table_columns(self._classes))))
            self.done = DoneImages(self._table.names())
        if self._settings.isic:
            table = GrowingTable.go_on(self._path("task3", ".csv"), ISIC_COLUMNS)
            self._isic_table = stack.enter_context(closing(table))
            self._isic_table.keep(len(self.done))
        self._path("failures", ".csv").unlink(missing_ok=True)  # what failed is tried again
        folders = [
            self._folder,
            self._folder / "predictions",
            *(self.pictures.folders() if self.pictures else ()),
        ]
        for folder in filter(Path.is_dir, folders):
            remove_leftovers(folder)
        self._stack = stack

    def _start_table(self, name: str, columns: Sequence[str]) -> AbstractContextManager[GrowingTable]:
        return closing(GrowingTable.start(self._path(name, ".csv"), columns))

    def _open_parts(self) -> "ParquetParts":
        from pipeline.prediction.parquet import ParquetParts  # noqa: PLC0415 - pyarrow is an extra

        shard = self._settings.shard
        prefix = "part" if shard.count == 1 else f"shard{shard.ending}"
        return ParquetParts(self._folder / "predictions", self._classes, prefix)

    def _add_failure(self, result: Result) -> None:
        if self._failures is None:
            self._failures = self._stack.enter_context(self._start_table("failures", FAILURE_COLUMNS))
        self._failures.add((csv_cell(result.name), csv_cell(result.error)))

    def _check_facts(self) -> None:
        try:
            facts = json.loads(self._facts_file.read_text(encoding="utf-8"))
        except ValueError:
            facts = None
        if not isinstance(facts, dict):
            raise ResultsError(f"{self._facts_file}: is damaged; give another --output.")
        others = [name for name, value in self._facts.items() if facts.get(name) != value]
        if others:
            raise ResultsError(
                f"{self._facts_file}: is of a run with another {', '.join(others)}; "
                "resume it with the same options and bundle, or give another --output."
            )


def _facts(bundle: Bundle, settings: ResultSettings) -> dict[str, Any]:
    """What must be the same for a run to go on with the results of another, in types that JSON knows."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - brings 40 modules

    try:
        installed = version("lesion")
    except PackageNotFoundError:
        installed = ""
    manifest = hashlib.sha256((bundle.folder / MANIFEST_FILE).read_bytes()).hexdigest()
    return {
        "lesion": installed,
        "bundle": bundle.name,
        "bundle_sha256": manifest,
        **asdict(settings),
        "tta": bundle.averaged_over_flips(settings.tta),
    }
