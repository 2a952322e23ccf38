"""The `lesion predict` command."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that none waits for another's libraries

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.progress import progress_bar
from pipeline.cli.console import SOME_FAILED, UNUSABLE, complain, hint, stopping_on
from pipeline.cli.options import DISCLAIMER, BundleOption, JsonOption, ThreadsOption, TTAOption

if TYPE_CHECKING:
    from pipeline.prediction.outputs import PredictionFolder
    from pipeline.prediction.predictor import LesionPipeline

EXAMPLE = "Example: lesion predict photos/ --output results"

# Images that are predicted at the same time; each of them takes the models' memory once more.
MOST_AT_ONCE = 2


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
            help="Write predictions.csv, masks/, crops/ and overlays/ to this folder.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    isic: Annotated[
        bool,
        typer.Option(
            "--isic", help="With --output: add task1/ and task3.csv for the ISIC 2018 challenge's scorer."
        ),
    ] = False,
    tta: TTAOption = False,
    threads: ThreadsOption = None,
) -> None:
    """Find, crop and name the lesion in every image.

    An image that can't be used is named on standard error, the others' results are written, and the exit status
    is 1.
    """
    if isic and output is None:
        raise typer.BadParameter("it needs --output DIR to write to.", param_hint="--isic")
    images = _images(paths, output)
    from data.images import ImageError
    from pipeline.bundle.loading import BundleError
    from pipeline.prediction.predictor import LesionPipeline

    with stopping_on(BundleError, ImageError):
        at_once = min(MOST_AT_ONCE, len(images))
        pipeline = LesionPipeline.load(bundle, threads, tta=tta, at_once=at_once)
        if isic:
            from pipeline.prediction.outputs import check_isic_classes

            check_isic_classes(pipeline.bundle)
        failed = _predict(pipeline, images, output, as_json, isic)
    hint(f"{len(images) - failed} of {len(images)} images predicted. {DISCLAIMER}")
    if failed:
        raise typer.Exit(SOME_FAILED)


def _images(paths: list[Path], output: Path | None) -> list[Path]:
    """The images to predict; what an earlier run wrote to `output` is not among them."""
    from data.datasets.finding import find_images

    images = find_images(paths)
    if output and output.exists():
        written = output.resolve()
        images = [image for image in images if written not in image.resolve().parents]
    if not images:
        complain(
            f"{', '.join(map(str, paths))}: no images there; give image files, or folders that hold some."
        )
        raise typer.Exit(UNUSABLE)
    return images


def _predict(
    pipeline: "LesionPipeline", images: list[Path], output: Path | None, as_json: bool, isic: bool
) -> int:
    """Print and write the predictions as they come; return how many images could not be used."""
    from data.images import ImageError
    from pipeline.prediction.tables import prediction_printer

    failed = 0
    with (
        prediction_printer(sys.stdout, pipeline.bundle, images, as_json) as printer,
        progress_bar("predicting", beside_output=as_json) as progress,
        _output_folder(output, pipeline, isic) as folder,
    ):
        for done, (source, outcome) in enumerate(pipeline.predict_many(images), start=1):
            if isinstance(outcome, ImageError):
                failed += 1
                complain(outcome)
                printer.fail(source, outcome)
            else:
                printer.add(source, outcome)
                if folder and (name := folder.add(source, source, outcome)) != source.stem:
                    complain(f"{source}: its files are called {name}, another image has taken {source.stem}.")
            progress(done, len(images))
    return failed


def _output_folder(
    output: Path | None, pipeline: "LesionPipeline", isic: bool
) -> AbstractContextManager["PredictionFolder | None"]:
    if output is None:
        return nullcontext()
    from pipeline.prediction.outputs import PredictionFolder

    return PredictionFolder.open(output, pipeline.bundle.classes, isic)
