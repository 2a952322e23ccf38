"""The `lesion train` commands."""

# ruff: noqa: PLC0415 - each command imports what it needs, so that none waits for another's libraries

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classification.config import Boxes, ClassificationConfig, Grouping, Imbalance, Monitor, View
from data.locking import BusyError, alone_in
from data.silence import silent_standard_error
from pipeline.cli.console import INTERRUPTED, complain, needing_extra, stopping_on
from pipeline.cli.options import DatasetsArgument, SplitsOption, chosen_weights, splits_in
from pipeline.cli.preview import preview
from pipeline.cli.segmentations import open_locator
from pipeline.cli.settings_file import ConfigOption, write_settings
from pipeline.cli.starting_points import open_start, tell_head
from pipeline.cli.stopping import ending_softly
from segmentation.config import SegmentationConfig
from segmentation.engine.phases import Strength

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from classification.metrics import ClassificationScores

app = typer.Typer(
    no_args_is_help=True, help="Train one stage alone, into a run folder.", rich_markup_mode=None
)

_SEGMENTATION = SegmentationConfig()
_CLASSIFICATION = ClassificationConfig()

Output = Annotated[
    Path,
    typer.Option(metavar="RUN", file_okay=False, help="The run folder to write.", show_default=False),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the training in --output.")]
EncoderWeights = Annotated[
    str,
    typer.Option(
        metavar="FILE", help="MobileNetV2 without the top; 'imagenet' lets Keras download it, or 'none'."
    ),
]
Augmentation = Annotated[Strength, typer.Option(help="How much the images are varied.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Images a step.")]
LearningRate = Annotated[float, typer.Option(min=0, help="Peak of the schedule.")]
Start = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN|BUNDLE",
        help="Whose weights the training starts from: a run, a bundle, or 'bundle' for the one that ships.",
        show_default=False,
    ),
]
WeightDecay = Annotated[float, typer.Option(min=0, help="Of AdamW.")]
AverageDecay = Annotated[
    float,
    typer.Option(min=0, max=0.99999, help="Of a moving average of the weights (0.999 or so); 0 keeps none."),
]
Patience = Annotated[int, typer.Option(min=1, help="Epochs without a better figure that end a phase.")]
Seed = Annotated[int, typer.Option(min=0, help="For the split, the weights and the batches.")]


@app.command("segmentation", epilog="Example: lesion train segmentation HAM10000/ --output runs/segmentation")
def train_segmentation(
    context: typer.Context,
    datasets: DatasetsArgument,
    output: Output,
    config: ConfigOption = None,  # noqa: ARG001 - read by its callback
    splits: SplitsOption = None,
    resume: Resume = False,
    encoder_weights: EncoderWeights = "imagenet",
    start: Start = None,
    input_size: Annotated[
        tuple[int, int], typer.Option(help="Height and width of the model's input, multiples of 32.")
    ] = _SEGMENTATION.input_size,
    small_size: Annotated[
        tuple[int, int], typer.Option(help="Height and width in the first phase.")
    ] = _SEGMENTATION.small_size,
    small_epochs: Annotated[
        int, typer.Option(min=0, help="Epochs at the small size.")
    ] = _SEGMENTATION.small_epochs,
    full_epochs: Annotated[
        int, typer.Option(min=0, help="Epochs at the full size, after those at the small one.")
    ] = _SEGMENTATION.epochs,
    batch_size: BatchSize = _SEGMENTATION.batch_size,
    learning_rate: LearningRate = _SEGMENTATION.learning_rate,
    weight_decay: WeightDecay = _SEGMENTATION.weight_decay,
    average_decay: AverageDecay = _SEGMENTATION.average_decay,
    augmentation: Augmentation = _SEGMENTATION.augmentation,
    patience: Patience = _SEGMENTATION.patience,
    seed: Seed = _SEGMENTATION.seed,
) -> None:
    """Train the U-Net that finds the lesion, on every image that has a mask."""
    settings = SegmentationConfig(
        input_size=input_size,
        small_size=small_size,
        small_epochs=small_epochs,
        epochs=full_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        average_decay=average_decay,
        augmentation=augmentation,
        encoder_weights=chosen_weights(encoder_weights),
        patience=patience,
        seed=seed,
    )
    with stopping_on_mistakes():
        from segmentation.training import train

        catalog = _catalog(datasets)
        tell_work("segmentation", settings, int(catalog["mask_path"].notna().sum()))
        with starting(context, output):
            metrics = train(
                catalog,
                settings,
                output,
                splits=splits_in(splits),
                start=None if start is None else open_start(start, None, catalog, output),
                resume=resume,
            )
    figures = metrics["validation"]
    _report(
        metrics,
        output,
        f"Jaccard {figures['jaccard']['value']:.3f}, threshold Jaccard "
        f"{figures['threshold_jaccard']['value']:.3f} at a threshold of {metrics['threshold']}",
    )


@app.command(
    "classification",
    epilog="Example: lesion train classification HAM10000/ --segmentation runs/segmentation --output runs/crop",
)
def train_classification(
    context: typer.Context,
    datasets: DatasetsArgument,
    output: Output,
    config: ConfigOption = None,  # noqa: ARG001 - read by its callback
    view: Annotated[View, typer.Option(help="What the classifier sees of an image.")] = "crop",
    segmentation: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN|BUNDLE",
            help="What finds the crops' boxes: a segmentation run, a bundle, or 'bundle' for the one that ships.",
            show_default=False,
        ),
    ] = None,
    boxes: Annotated[
        Boxes, typer.Option(help="Whether boxes come from the segmentation run or from the dataset's masks.")
    ] = _CLASSIFICATION.boxes,
    splits: SplitsOption = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=3,
            help="Train once for each of so many folds, and score every image by the model that did not see it.",
            show_default=False,
        ),
    ] = None,
    resume: Resume = False,
    encoder_weights: EncoderWeights = "imagenet",
    start: Start = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="A classification run whose answers become a part of the targets; give the option once for each.",
            show_default=False,
        ),
    ] = None,
    teaching: Annotated[
        float, typer.Option(min=0, max=1, help="The teachers' part of a training image's target.")
    ] = _CLASSIFICATION.teaching,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="CLASSES", help="Classes to tell apart, with commas between; others are left out."
        ),
    ] = None,
    grouping: Annotated[
        Grouping, typer.Option(help="Classes: the diagnoses, or malignant / benign / unknown.")
    ] = _CLASSIFICATION.grouping,
    malignant: Annotated[
        str | None,
        typer.Option(
            metavar="CLASSES",
            help="Classes of your own that count as malignant, with commas between; your others count as benign.",
            show_default=False,
        ),
    ] = None,
    imbalance: Annotated[
        Imbalance,
        typer.Option(
            help="What is done about rare classes; square-root and balanced draw their images more often."
        ),
    ] = _CLASSIFICATION.imbalance,
    prior_strength: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="With logit-adjustment: how much the classes' shares count in the end, from 0 (best balanced "
            "accuracy) to 1; by default what is likeliest on validation.",
            show_default=False,
        ),
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, help="Of the crop, on every side, as a part of the lesion's longer side.")
    ] = _CLASSIFICATION.margin,
    jitter: Annotated[
        float, typer.Option(min=0, max=0.5, help="How far boxes are moved and resized in training.")
    ] = _CLASSIFICATION.jitter,
    input_side: Annotated[
        int, typer.Option(min=32, help="Height and width of the model's input, a multiple of 32.")
    ] = _CLASSIFICATION.input_side,
    small_side: Annotated[
        int, typer.Option(min=32, help="Height and width in the first two phases.")
    ] = _CLASSIFICATION.small_side,
    width: Annotated[
        float, typer.Option(min=0.1, help="MobileNetV2's width multiplier.")
    ] = _CLASSIFICATION.width,
    head_epochs: Annotated[
        int, typer.Option(min=0, help="Epochs of the head alone.")
    ] = _CLASSIFICATION.head_epochs,
    small_epochs: Annotated[
        int, typer.Option(min=0, help="Epochs of all layers at the small side.")
    ] = _CLASSIFICATION.small_epochs,
    full_epochs: Annotated[
        int, typer.Option(min=0, help="Epochs of all layers at the full side, after the others.")
    ] = _CLASSIFICATION.epochs,
    batch_size: BatchSize = _CLASSIFICATION.batch_size,
    head_learning_rate: Annotated[
        float, typer.Option(min=0, help="Peak of the head's phase.")
    ] = _CLASSIFICATION.head_learning_rate,
    learning_rate: LearningRate = _CLASSIFICATION.learning_rate,
    weight_decay: WeightDecay = _CLASSIFICATION.weight_decay,
    average_decay: AverageDecay = _CLASSIFICATION.average_decay,
    monitor: Annotated[
        Monitor, typer.Option(help="The figure on validation by which the best epoch is chosen.")
    ] = _CLASSIFICATION.monitor,
    dropout: Annotated[float, typer.Option(min=0, max=0.9)] = _CLASSIFICATION.dropout,
    label_smoothing: Annotated[float, typer.Option(min=0, max=0.5)] = _CLASSIFICATION.label_smoothing,
    mixup: Annotated[
        float, typer.Option(min=0, help="Alpha of MixUp's Beta distribution; 0 mixes no images.")
    ] = _CLASSIFICATION.mixup,
    augmentation: Augmentation = _CLASSIFICATION.augmentation,
    patience: Patience = _CLASSIFICATION.patience,
    seed: Seed = _CLASSIFICATION.seed,
) -> None:
    """Train the classifier that names the lesion, on every image that has a diagnosis."""
    if folds is not None and splits is not None:
        raise typer.BadParameter("--folds makes its own splits; leave out --splits.")
    settings = ClassificationConfig(
        view=view,
        boxes=boxes,
        margin=margin,
        jitter=jitter,
        grouping=grouping,
        malignant=_names(malignant) or (),
        only=_names(only),
        imbalance=imbalance,
        prior_strength=prior_strength,
        teaching=teaching,
        head_learning_rate=head_learning_rate,
        weight_decay=weight_decay,
        average_decay=average_decay,
        monitor=monitor,
        input_side=input_side,
        small_side=small_side,
        width=width,
        head_epochs=head_epochs,
        small_epochs=small_epochs,
        epochs=full_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=dropout,
        label_smoothing=label_smoothing,
        mixup=mixup,
        augmentation=augmentation,
        encoder_weights=chosen_weights(encoder_weights),
        patience=patience,
        seed=seed,
    )
    with stopping_on_mistakes():
        from classification.labelled import labelled_images
        from classification.training import train
        from data.datasets.diagnoses import classes_of
        from segmentation.engine.run_folder import open_run

        catalog = _catalog(datasets)
        labelled = labelled_images(catalog, settings)
        room = 1 + 3 * settings.jitter if settings.view == "crop" else 1.0
        tell_work("classification", settings, len(labelled), room)
        with starting(context, output):
            origin = None if start is None else open_start(start, "classification", labelled, output)
            if origin is not None:
                tell_head(origin, classes_of(labelled["dx"]))
            locator = None if segmentation is None else open_locator(segmentation, labelled)
            taught = [open_run(run, "classification") for run in teacher or []]
            if folds is not None:
                from classification.cross_validation import cross_validate

                scores = cross_validate(
                    catalog,
                    settings,
                    output,
                    folds,
                    segmentation=locator,
                    start=origin,
                    teachers=taught,
                    resume=resume,
                )
                _report_folds(scores, output)
                return
            metrics = train(
                catalog,
                settings,
                output,
                segmentation=locator,
                splits=splits_in(splits),
                start=origin,
                teachers=taught,
                resume=resume,
            )
    figures = metrics["validation"]
    _report(
        metrics,
        output,
        f"balanced accuracy {figures['balanced_accuracy']['value']:.3f}, macro F1 {figures['macro_f1']['value']:.3f}",
    )


app.command("preview", epilog="Example: lesion train preview HAM10000/ --output preview.png")(preview)


@contextmanager
def stopping_on_mistakes() -> "Iterator[None]":
    """A missing extra, or what a user can mend, ends the command with one line."""
    with needing_extra("train"):
        from data.datasets.catalog import DatasetError
        from data.images import ImageError
        from pipeline.bundle.litert import ModelError
        from pipeline.bundle.loading import BundleError
        from segmentation.engine.run_folder import RunError

        os.environ.setdefault(
            "TF_CPP_MIN_LOG_LEVEL", "3"
        )  # what TensorFlow says later; its greeting comes before
        with silent_standard_error():
            from pipeline.export.exporting import ExportError
        mistakes = (ImageError, DatasetError, BundleError, ExportError, RunError, ModelError, BusyError)
        with ending_softly(), stopping_on(*mistakes):
            yield


def tell_work(
    stage: str, settings: SegmentationConfig | ClassificationConfig, images: int, room: float = 1.0
) -> None:
    """Say before the start how long it will take, and what it needs; of a usual split, where it is not made yet."""
    from data.splits import DEFAULT_FRACTIONS
    from segmentation.engine.estimating import estimate_training

    train, validation = (round(part * images) for part in DEFAULT_FRACTIONS[:2])
    estimate = estimate_training(stage, settings.phases, train, validation, settings.batch_size, room)
    complain(f"{images} images: {estimate.to_text()}.")


@contextmanager
def starting(context: typer.Context, output: Path) -> "Iterator[None]":
    """Keep the settings beside the run that begins; a run that is there keeps its own."""
    from segmentation.engine.run_folder import Run

    with alone_in(output):
        if not Run(output).holds_training:
            write_settings(context, output)
        yield


def _report_folds(scores: "ClassificationScores | None", output: Path) -> None:
    if scores is None:
        complain(f"{output}: interrupted; give the same command with --resume to go on.")
        raise typer.Exit(INTERRUPTED)
    typer.echo(f"{scores.to_text()}\n\n{output}: out-of-fold.csv, cross-validation.json and a run a fold")


def _report(metrics: dict[str, Any], output: Path, figures: str) -> None:
    ending = "interrupted, the best model so far: " if metrics["interrupted"] else ""
    speed = (
        f"{metrics['images_per_second']} images/s, its input alone at {metrics['input_images_per_second']}"
    )
    if metrics["model_images_per_second"]:
        speed += f", the model alone at {metrics['model_images_per_second']}"
    typer.echo(f"{output}: {ending}validation {figures}; trained at {speed}")
    if metrics["interrupted"]:
        raise typer.Exit(INTERRUPTED)


def _catalog(datasets: list[Path]) -> "pd.DataFrame":
    from data.datasets.catalog import load_datasets

    return load_datasets(datasets)


def _names(listed: str | None) -> tuple[str, ...] | None:
    """Names with commas between, as a tuple."""
    return None if listed is None else tuple(name.strip() for name in listed.split(","))
