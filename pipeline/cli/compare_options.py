"""The options of `lesion compare`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.settings_options import CLASSIFICATION_OPTIONS

OutputOption = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        file_okay=False,
        help="Folder for report.html, comparison.json, predictions.csv and all that was trained.",
    ),
]
ArmsOption = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Of full, crop (margin 25%), crop-0, crop-10, crop-50, reference-crop, centre-crop, random-crop, "
        "masked, context-only, both; full is always there.",
    ),
]
SeedsOption = Annotated[int, typer.Option(min=1, help="Trainings of each arm.")]
QuickOption = Annotated[
    bool,
    typer.Option("--quick", help="A first answer in minutes: linear heads on a frozen encoder."),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        min=1, help="At most so many images, of lesions drawn from all classes.", show_default=False
    ),
]
MasksOption = Annotated[
    Literal["auto", "cross-fitted", "bundle"],
    typer.Option(
        help="What finds the lesions: segmentations trained on other lesions of the dataset, or a bundle's; "
        "auto takes the former where there are masks enough."
    ),
]
MostMasksOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="The most images that a cross-fitted segmentation learns from; by default all, and 1200 with --quick.",
        show_default=False,
    ),
]
BundleOption = Annotated[
    Path | None,
    typer.Option(
        metavar="BUNDLE",
        help="Whose segmentation finds lesions; by default the one that ships.",
        show_default=False,
    ),
]
LikeOption = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="A classification run whose settings all arms are trained with.",
        show_default=False,
    ),
]
SmallestDifferenceOption = Annotated[
    float,
    typer.Option(min=0, max=1, help="Of balanced accuracy, that would matter; fix it beforehand."),
]
RobustnessOption = Annotated[
    bool, typer.Option("--robustness/--no-robustness", help="Try the arms on perturbed test images, too.")
]
ResamplesOption = Annotated[int, typer.Option(min=100, help="Resamples of the bootstrap over lesions.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the split, the folds and the bootstrap.")]

# What all arms are trained with, where it is given: the same options as those of `lesion train classification`.
TRAINING_FIELDS = (
    *("encoder_weights", "grouping", "input_side", "small_side"),
    *("head_epochs", "small_epochs", "epochs"),
)
TRAINING_OPTIONS = {name: CLASSIFICATION_OPTIONS[name] for name in TRAINING_FIELDS}
