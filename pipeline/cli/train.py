"""The `lesion train` commands."""

# ruff: noqa: PLC0415 - each command imports what it needs, so that none waits for another's libraries

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from classification.config import ClassificationConfig
from data.locking import BusyError, alone_in
from data.silence import silent_standard_error
from pipeline.cli.console import complain, needing_extra, stopping_on
from pipeline.cli.options import DatasetsArgument, SplitsOption, splits_in
from pipeline.cli.preview import preview
from pipeline.cli.segmentations import open_locator
from pipeline.cli.settings_file import ConfigOption, write_settings
from pipeline.cli.settings_options import CLASSIFICATION_OPTIONS, SEGMENTATION_OPTIONS, with_settings
from pipeline.cli.starting_points import open_start, teacher_side, tell_head, tell_learned_tests
from pipeline.cli.stopping import ending_softly
from pipeline.cli.training_messages import report_classification, report_folds, report_segmentation, tell_work
from segmentation.config import SegmentationConfig

app = typer.Typer(
    no_args_is_help=True, help="Train one stage alone, into a run folder.", rich_markup_mode=None
)

Output = Annotated[
    Path,
    typer.Option(metavar="RUN", file_okay=False, help="The run folder to write.", show_default=False),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the training in --output.")]
Devices = Annotated[
    int,
    typer.Option(
        min=1, help="GPUs of this machine that share every batch; without GPUs, logical processors."
    ),
]
Start = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN|BUNDLE",
        help="Whose weights the training starts from: a run, a bundle, or 'bundle' for the one that ships.",
        show_default=False,
    ),
]
Segmentation = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN|BUNDLE",
        help="What finds the crops' boxes: a segmentation run, a bundle, or 'bundle' for the one that ships.",
        show_default=False,
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        min=3,
        help="Train once for each of so many folds, and score every image by the model that did not see it.",
        show_default=False,
    ),
]
Averaged = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="RUN",
        help="Start from the mean of the weights of --start and of this run; give the option once for each.",
        show_default=False,
    ),
]
Teachers = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="RUN",
        help="A classification run, or a bundle, whose answers become a part of the targets; once for each.",
        show_default=False,
    ),
]


@app.command("segmentation", epilog="Example: lesion train segmentation HAM10000/ --output runs/segmentation")
@with_settings(SegmentationConfig, SEGMENTATION_OPTIONS)
def train_segmentation(
    context: typer.Context,
    settings: SegmentationConfig,
    datasets: DatasetsArgument,
    output: Output,
    config: ConfigOption = None,  # noqa: ARG001 - read by its callback
    splits: SplitsOption = None,
    resume: Resume = False,
    start: Start = None,
    devices: Devices = 1,
) -> None:
    """Train the U-Net that finds the lesion, on every image that has a mask."""
    check_output(datasets, output)
    with stopping_on_mistakes():
        from data.datasets.catalog import load_datasets
        from segmentation.masked import masked_images

        catalog = load_datasets(datasets)
        tell_work(settings, len(masked_images(catalog)))
        with silent_standard_error():  # TensorFlow's greeting
            from segmentation.engine.run_folder import Run
            from segmentation.training import train
        with starting(context, output):
            origin = None if start is None else open_start(start, None, catalog, output)
            metrics = train(
                catalog,
                settings,
                output,
                splits=splits_in(splits),
                start=origin,
                devices=devices,
                resume=resume,
            )
            if origin is not None:
                tell_learned_tests(origin, [Run(output)])
    report_segmentation(metrics, output)


@app.command(
    "classification",
    epilog="Example: lesion train classification HAM10000/ --segmentation runs/segmentation --output runs/crop",
)
@with_settings(ClassificationConfig, CLASSIFICATION_OPTIONS)
def train_classification(
    context: typer.Context,
    settings: ClassificationConfig,
    datasets: DatasetsArgument,
    output: Output,
    config: ConfigOption = None,  # noqa: ARG001 - read by its callback
    segmentation: Segmentation = None,
    splits: SplitsOption = None,
    folds: Folds = None,
    resume: Resume = False,
    start: Start = None,
    average: Averaged = None,
    teacher: Teachers = None,
    devices: Devices = 1,
) -> None:
    """Train the classifier that names the lesion, on every image that has a diagnosis."""
    check_output(datasets, output)
    if folds is not None and splits is not None:
        raise typer.BadParameter("--folds makes its own splits; leave out --splits.")
    if average and start is None:
        raise typer.BadParameter("--average is the mean with --start; give that, too.")
    with stopping_on_mistakes():
        from classification.labelled import labelled_images
        from data.datasets.catalog import load_datasets
        from data.datasets.diagnoses import classes_of
        from segmentation.engine.run_folder import Run, open_run

        catalog = load_datasets(datasets)
        labelled = labelled_images(catalog, settings)
        tell_work(settings, len(labelled), [teacher_side(path) for path in teacher or []], folds)
        with silent_standard_error():  # TensorFlow's greeting
            from classification.cross_validation import cross_validate
            from classification.training import train
        with starting(context, output):
            origin = None if start is None else open_start(start, "classification", labelled, output)
            if origin is not None:
                tell_head(origin, classes_of(labelled["dx"]))
            known: dict[str, Any] = {
                "segmentation": None if segmentation is None else open_locator(segmentation, labelled),
                "start": origin,
                "averaged": [open_run(path, "classification") for path in average or ()],
                "teachers": [open_start(path, "classification", labelled, output) for path in teacher or []],
                "devices": devices,
                "resume": resume,
            }
            if folds is not None:
                scores = cross_validate(
                    catalog,
                    settings,
                    output,
                    folds,
                    **known,
                    begin=lambda fold: complain(f"fold {fold} of {folds}"),
                )
            else:
                metrics = train(catalog, settings, output, splits=splits_in(splits), **known)
            if origin is not None:
                splits_files = output.glob("splits.csv" if folds is None else "fold-*/splits.csv")
                tell_learned_tests(origin, [Run(file.parent) for file in splits_files])
    if folds is None:
        report_classification(metrics, output)
    else:
        report_folds(scores, output, folds, settings)


app.command("preview", epilog="Example: lesion train preview HAM10000/ --output preview.png")(preview)


def check_output(datasets: list[Path], output: Path) -> None:
    """Raise BadParameter where a new run would lie among a dataset's images."""
    for folder in datasets:
        if output.resolve().is_relative_to(folder.resolve()) and not (output / "config.json").exists():
            raise typer.BadParameter(
                f"{output} lies in the dataset {folder}, where the run's pictures would count as images; "
                "give an --output beside it."
            )


@contextmanager
def stopping_on_mistakes() -> Iterator[None]:
    """A missing extra, or what a user can mend, ends the command with one line."""
    with needing_extra("train"):
        from data.datasets.catalog import DatasetError
        from data.images import ImageError
        from pipeline.bundle.litert import ModelError
        from pipeline.bundle.loading import BundleError
        from pipeline.export.parity import ExportError
        from segmentation.engine.run_folder import RunError

        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what TensorFlow says after its greeting
        mistakes = (ImageError, DatasetError, BundleError, ExportError, RunError, ModelError, BusyError)
        with ending_softly(), stopping_on(*mistakes):
            yield


@contextmanager
def starting(context: typer.Context, output: Path) -> Iterator[None]:
    """Keep the settings beside the run that begins; a run that is there keeps its own."""
    from segmentation.engine.run_folder import Run

    with alone_in(output):
        if not Run(output).holds_training:
            if context.params["resume"] and not any(output.glob("fold-*/config.json")):
                complain(
                    f"{output}: holds no finished epoch to go on with; the training begins with its first."
                )
            write_settings(context, output)
        yield
