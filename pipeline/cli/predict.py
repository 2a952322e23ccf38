"""The `lesion predict` command."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that none waits for another's libraries

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.progress import Progress, progress_bar, unwatched
from pipeline.cli.console import (
    SOME_FAILED,
    UNUSABLE,
    complain,
    hint,
    needing_extra,
    stopping_on,
)
from pipeline.cli.dicom_results import (
    DicomChoice,
    DicomFractionalOption,
    DicomIdsOption,
    DicomOption,
    DicomResults,
    dicom_results,
)
from pipeline.cli.options import DISCLAIMER, BundleOption, JsonOption, ThreadsOption, TTAOption
from pipeline.cli.starting import without_collecting
from pipeline.cli.stopping import ending_softly

if TYPE_CHECKING:
    from pipeline.prediction.results import ResultSettings, ResultsFolder
    from pipeline.prediction.running import Engine
    from pipeline.prediction.sharding import Shard
    from pipeline.prediction.sources import ImageSource
    from pipeline.prediction.work import Result, Task

EXAMPLE = "Example: lesion predict photos/ --output results"

# Images that are looked up before the first is predicted, to know how wide the table is and whether they are few.
LOOKED_UP = 200


class TableFormat(StrEnum):
    """How the table is written."""

    csv = "csv"
    parquet = "parquet"


def predict(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Images, folders and globs.", show_default=False),
    ],
    bundle: BundleOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="DIR",
            file_okay=False,
            help="Write predictions.csv, masks/, crops/ and overlays/ to this folder, image by image.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="With --output: skip the images whose rows an earlier run has written."
        ),
    ] = False,
    table_format: Annotated[
        TableFormat,
        typer.Option("--format", help="With --output: predictions.csv, or Parquet files in predictions/."),
    ] = TableFormat.csv,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures", help="With --output: whether masks, crops and overlays are written."
        ),
    ] = True,
    as_json: JsonOption = False,
    isic: Annotated[
        bool,
        typer.Option(
            "--isic", help="With --output: add task1/ and task3.csv for the ISIC 2018 challenge's scorer."
        ),
    ] = False,
    dicom: DicomOption = None,
    dicom_fractional: DicomFractionalOption = False,
    dicom_ids: DicomIdsOption = False,
    tta: TTAOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Processes; by default one a core for many images, and one for few.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str,
        typer.Option("--shard", metavar="I/N", help="Predict part I of N of the images only, I from 1 to N."),
    ] = "1/1",
    threads: ThreadsOption = None,
) -> None:
    """Find, crop and name the lesion in every image.

    An image that can't be used is named on standard error, the others' results are written, and the exit status
    is 1.
    """
    only_with_output = {
        "--isic": isic,
        "--resume": resume,
        "--format parquet": table_format != TableFormat.csv,
    }
    for option, given in only_with_output.items():
        if given and output is None:
            raise typer.BadParameter("it needs --output DIR to write to.", param_hint=option)
    choice = DicomChoice(dicom, dicom_fractional, dicom_ids)
    choice.check()
    with without_collecting():
        from pipeline.bundle.loading import BundleError, load_bundle
        from pipeline.prediction.errors import ResultsError, WorkerError
        from pipeline.prediction.running import Engine

        images = _Images(paths, output, _parse_shard(shard))

    with (
        ending_softly(),
        needing_extra("parquet"),
        stopping_on(BundleError, ResultsError, WorkerError),
        ExitStack() as stack,
    ):
        engine = Engine(load_bundle(bundle), tta, threads, workers)
        results = None
        if output is not None:
            from pipeline.prediction.results import ResultSettings

            settings = ResultSettings(table_format.value, isic, pictures, tta, images.shard)
            results = _open_results(stack, output, engine, settings, resume)
        beside = stack.enter_context(dicom_results(choice, resume))
        predicted, failed = _predict(images, engine, results, beside, as_json)
    before = f" {len(results.done)} were predicted before." if results and results.done else ""
    hint(f"{predicted} of {predicted + failed} images predicted.{before} {DISCLAIMER}")
    if failed or images.left_out:
        raise typer.Exit(SOME_FAILED)


def _parse_shard(text: str) -> "Shard":
    from pipeline.prediction.sharding import Shard

    try:
        return Shard.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="--shard") from None


class _Images:
    """What was asked to be predicted, one image after the other, and the part of it that this run does."""

    def __init__(self, paths: list[Path], output: Path | None, shard: "Shard") -> None:
        self.shard = shard
        self.left_out = 0
        self._paths = paths
        self._output = output
        sources = self._sources(self._leave_out)
        self.first = list(islice(sources, LOOKED_UP))
        self._rest = sources
        if not self.first:
            given = ", ".join(map(str, paths))
            complain(f"{given}: no images there; give image files, or folders that hold some.")
            raise typer.Exit(UNUSABLE)

    def tasks(self, results: "ResultsFolder | None", named: bool) -> "Iterator[Task]":
        """Those that are to be predicted, with names where files are written for them."""
        from pipeline.prediction.running import tasks_of

        named = named or (results is not None and results.needs_names)
        return tasks_of(chain(self.first, self._rest), self.shard, results, named)

    def count(self, results: "ResultsFolder | None") -> int:
        """How many `tasks` yields; it takes a search of its own where the images are many."""
        from pipeline.prediction.running import tasks_of

        every = self.first if len(self.first) < LOOKED_UP else self._sources(lambda _: None)
        return sum(1 for _ in tasks_of(every, self.shard, results, named=False))

    def _sources(self, leave_out: Callable[[Path], None]) -> "Iterator[ImageSource]":
        from pipeline.dicom.sources import ALL_KINDS
        from pipeline.prediction.sources import stream_sources

        return stream_sources(self._paths, self._output, leave_out, ALL_KINDS)

    def _leave_out(self, path: Path) -> None:
        self.left_out += 1
        complain(f"{path}: lies in {self._output}, where results are written; give another --output.")


def _open_results(
    stack: ExitStack, output: Path, engine: "Engine", settings: "ResultSettings", resume: bool
) -> "ResultsFolder":
    from pipeline.prediction.results import ResultsFolder

    if settings.isic:
        from pipeline.prediction.outputs import check_isic_classes

        check_isic_classes(engine.bundle)
    return stack.enter_context(ResultsFolder.open(output, engine.bundle, settings, resume))


def _predict(
    images: _Images,
    engine: "Engine",
    results: "ResultsFolder | None",
    beside: DicomResults | None,
    as_json: bool,
) -> tuple[int, int]:
    """Print and write the predictions as they come; return how many images were predicted and how many failed."""
    from pipeline.prediction.tables import prediction_printer

    predicted, failed = 0, 0
    first = [source.name for source in images.first]
    outcomes = engine.results(
        images.tasks(results, named=beside is not None),
        results.pictures if results else None,
        beside.folder if beside else None,
    )
    with (
        closing(outcomes),
        prediction_printer(sys.stdout, engine.bundle, first, as_json) as printer,
        progress_bar("predicting", beside_output=as_json) as bar,
    ):
        progress = _with_total(bar, lambda: images.count(results))
        for result in outcomes:
            if beside:
                beside.add(result)
            if results:
                results.add(result)
            if result.facts is None:
                failed += 1
                complain(result.error)
                printer.fail(result.name, result.error)
            else:
                predicted += 1
                printer.add(result.name, result.facts)
                _tell_names(result)
            progress(predicted + failed, None)
    return predicted, failed


def _with_total(progress: Progress, count: Callable[[], int]) -> Progress:
    """The progress with a total that is counted meanwhile, where somebody watches."""
    if progress is unwatched:
        return progress
    total: list[int] = []
    threading.Thread(target=lambda: total.append(count()), daemon=True).start()
    return lambda done, _: progress(done, total[0] if total else None)


def _tell_names(result: "Result") -> None:
    """Say where an image's files have another name than the image's own."""
    from pipeline.prediction.naming import LONGEST_NAME

    stem = result.name.stem
    if result.files in {"", stem}:
        return
    too_long = len(os.fsencode(stem)) > LONGEST_NAME
    reason = "its own name is too long" if too_long else f"another image has taken {stem}"
    complain(f"{result.name}: its files are called {result.files}, {reason}.")
