"""The `lesion` command."""

# ruff: noqa: PLC0415 - each command imports what it needs, so that none waits for another's libraries

import json
import shlex
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import app as cli_app
from pipeline.cli import benchmark as cli_benchmark
from pipeline.cli import compare as cli_compare
from pipeline.cli import dataset as cli_dataset
from pipeline.cli import train as cli_train
from pipeline.cli.console import (
    SOME_FAILED,
    UNUSABLE,
    complain,
    hint,
    needing_extra,
    progress_bar,
    stopping_on,
)

if TYPE_CHECKING:
    from pipeline.prediction.outputs import PredictionFolder
    from pipeline.prediction.predictor import LesionPipeline

# Images that are predicted at the same time; each of them takes the models' memory once more.
MOST_AT_ONCE = 2

DISCLAIMER = "For research and teaching; not a medical device."

BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="BUNDLE",
        help="Folder of the bundle; by default the one that ships.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Threads for one inference; by default one a core, at most 4.",
        show_default=False,
    ),
]
FlipsOption = Annotated[
    bool,
    typer.Option(
        "--flips", help="Average the diagnosis over the crop's mirror images too: steadier, and slower."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]

app = typer.Typer(
    name="lesion",
    epilog=DISCLAIMER,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # loading rich takes longer than all the rest of `lesion --help`
)


def main() -> None:
    """Run the command line."""
    with needing_extra("evaluate"):
        app(prog_name="lesion")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"lesion {version('lesion')}")
        raise typer.Exit


@app.callback()
def lesion(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Find, crop and name skin lesions in dermoscopic images."""


@app.command(epilog="Example: lesion predict photos/ --output results")
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
    flips: FlipsOption = False,
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
        pipeline = LesionPipeline.load(bundle, threads, flips=flips, at_once=at_once)
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
        progress_bar("predicting", len(images), beside_output=as_json) as move,
        _output_folder(output, pipeline, isic) as folder,
    ):
        for source, outcome in pipeline.predict_many(images):
            if isinstance(outcome, ImageError):
                failed += 1
                complain(outcome)
                printer.fail(source, outcome)
            else:
                printer.add(source, outcome)
                if folder and (name := folder.add(source, source, outcome)) != source.stem:
                    complain(f"{source}: its files are called {name}, another image has taken {source.stem}.")
            move()
    return failed


def _output_folder(
    output: Path | None, pipeline: "LesionPipeline", isic: bool
) -> AbstractContextManager["PredictionFolder | None"]:
    if output is None:
        return nullcontext()
    from pipeline.prediction.outputs import PredictionFolder

    return PredictionFolder.open(output, pipeline.bundle.classes, isic)


@app.command(epilog="Example: lesion evaluate HAM10000/ --output report")
def evaluate(
    datasets: Annotated[
        list[Path],
        typer.Argument(metavar="DATASET", help="Folders of labelled datasets.", show_default=False),
    ],
    bundle: BundleOption = None,
    split: Annotated[
        str, typer.Option(help="Images to score: test (not trained or chosen on), validation, train or all.")
    ] = "test",
    splits: Annotated[
        Path | None,
        typer.Option(
            "--splits",
            metavar="FILE",
            help="A csv with image_id and split, in place of the bundle's own.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="DIR",
            file_okay=False,
            help="Write metrics.json, predictions.csv, confusion.png and report.html to this folder.",
            show_default=False,
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Keep the figures in the bundle and its model card; for images new to the bundle.",
        ),
    ] = False,
    as_json: JsonOption = False,
    repetitions: Annotated[
        int, typer.Option(min=1, help="Repetitions of the bootstrap over lesions.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    flips: FlipsOption = False,
    threads: ThreadsOption = None,
) -> None:
    """Score a bundle on labelled images.

    Diagnoses are scored by precision, recall and F1 a class and more, masks by Jaccard and Dice, all with 95% intervals
    by bootstrap over lesions. Images that the bundle was trained or chosen on are left out, unless --split says
    otherwise.
    """
    from data.datasets.catalog import DatasetError, load_datasets
    from pipeline.bundle.loading import BundleError
    from pipeline.evaluation.evaluation import evaluate as score
    from pipeline.evaluation.report import write_evaluation
    from pipeline.evaluation.selection import select_split
    from pipeline.export.recording import record_test_figures
    from pipeline.prediction.predictor import LesionPipeline

    with stopping_on(BundleError, DatasetError):
        pipeline = LesionPipeline.load(bundle, threads, flips=flips, at_once=MOST_AT_ONCE)
        selection = select_split(load_datasets(datasets), pipeline.bundle, split, splits)
        facts = {
            "Datasets": ", ".join(map(str, datasets)),
            "Selection": selection.note,
            "Command": shlex.join(["lesion", *sys.argv[1:]]),
        }
        with progress_bar("evaluating", len(selection.catalog)) as move:
            evaluation = score(
                pipeline, selection.catalog, repetitions=repetitions, seed=seed, progress=move, facts=facts
            )
        if output:
            write_evaluation(evaluation, output)
        if record:
            name = ", ".join(dataset.resolve().name for dataset in datasets)
            record_test_figures(pipeline.bundle, evaluation, selection, name, flips)
    print(json.dumps(evaluation.to_dict(), indent=2) if as_json else evaluation.to_text())
    for failure in evaluation.failures:
        complain(failure.reason)
    if evaluation.failures:
        raise typer.Exit(SOME_FAILED)


app.command(epilog="Example: lesion app")(cli_app.app)
app.command(epilog=cli_compare.EXAMPLE)(cli_compare.compare)
app.add_typer(cli_dataset.app, name="dataset")
app.add_typer(cli_train.train_app, name="train")
app.command(
    epilog="Example: lesion export --segmentation runs/segmentation --classification runs/crop --output bundle"
)(cli_train.export)
app.command(epilog="Example: lesion benchmark --quick")(cli_benchmark.benchmark)

if __name__ == "__main__":
    main()
