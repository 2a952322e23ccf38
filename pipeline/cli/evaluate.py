"""The `lesion evaluate` command."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that none waits for another's libraries

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.progress import progress_bar
from pipeline.cli.console import SOME_FAILED, complain, stopping_on
from pipeline.cli.options import BundleOption, DatasetsArgument, JsonOption, ThreadsOption, TTAOption

if TYPE_CHECKING:
    from pipeline.evaluation.evaluation import Evaluation

EXAMPLE = "Example: lesion evaluate HAM10000/ --output report"


OwnSplitsOption = Annotated[
    Path | None,
    typer.Option(
        "--splits",
        metavar="FILE",
        help="A csv with image_id and split, in place of the bundle's own.",
        show_default=False,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        file_okay=False,
        help="Write metrics.json, predictions.csv, confusion.png and report.html to this folder.",
        show_default=False,
    ),
]
RecordOption = Annotated[
    bool,
    typer.Option(
        "--record",
        help="Keep the figures in the bundle and its model card; for images new to the bundle.",
    ),
]
SpecificityOption = Annotated[
    list[float] | None,
    typer.Option(
        min=0,
        max=1,
        help="Give the sensitivity at this specificity; several times for several. By default 0.8 to 0.95.",
        show_default=False,
    ),
]


def evaluate(
    datasets: DatasetsArgument,
    bundle: BundleOption = None,
    split: Annotated[
        str, typer.Option(help="Images to score: test (not trained or chosen on), validation, train or all.")
    ] = "test",
    splits: OwnSplitsOption = None,
    output: OutputOption = None,
    record: RecordOption = False,
    specificity: SpecificityOption = None,
    as_json: JsonOption = False,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap over lesions.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    tta: TTAOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Score a bundle on labelled images.

    Diagnoses are scored by precision, recall and F1 a class and more, masks by Jaccard and Dice, all with 95% intervals
    by bootstrap over lesions. Images that the bundle was trained or chosen on are left out, unless --split says
    otherwise.
    """
    if record and bundle is None:
        raise typer.BadParameter(
            "it would rewrite the bundle that ships with the software; copy that, and give the copy with --bundle.",
            param_hint="--record",
        )
    from classification.operating_points import SPECIFICITIES
    from data.datasets.catalog import DatasetError, load_datasets
    from pipeline.bundle.loading import BundleError
    from pipeline.evaluation.evaluation import evaluate as score
    from pipeline.evaluation.report import write_evaluation
    from pipeline.evaluation.selection import select_split
    from pipeline.export.recording import record_test_figures
    from pipeline.prediction.predictor import LesionPipeline
    from pipeline.prediction.running import MOST_AT_ONCE

    with stopping_on(BundleError, DatasetError):
        pipeline = LesionPipeline.load(bundle, threads, tta=tta, at_once=MOST_AT_ONCE)
        selection = select_split(load_datasets(datasets), pipeline.bundle, split, splits)
        with progress_bar("evaluating") as progress:
            evaluation = score(
                pipeline,
                selection.catalog,
                resamples=resamples,
                seed=seed,
                progress=progress,
                datasets=list(map(str, datasets)),
                selection=selection,
                command=["lesion", *sys.argv[1:]],
                specificities=specificity or SPECIFICITIES,
            )
        if output:
            write_evaluation(evaluation, output)
        if record:
            name = ", ".join(dataset.resolve().name for dataset in datasets)
            record_test_figures(pipeline.bundle, evaluation, selection, name)
    _tell(evaluation, as_json)


def _tell(evaluation: "Evaluation", as_json: bool) -> None:
    """Print the figures; exit with status 1 where images failed."""
    print(json.dumps(evaluation.to_dict(), indent=2) if as_json else evaluation.to_text())
    for failure in evaluation.failures:
        complain(failure.reason)
    if evaluation.failures:
        raise typer.Exit(SOME_FAILED)
