"""`lesion compare`: crop against full image, on the user's own data."""

# ruff: noqa: PLC0415 - the command imports what it needs, so that none waits for another's libraries

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from data.silence import silent_standard_error
from pipeline.cli.console import INTERRUPTED, complain, needing_extra, stopping_on
from pipeline.cli.options import DatasetsArgument, JsonOption, SplitsOption, chosen_weights, splits_in

if TYPE_CHECKING:
    from classification.config import ClassificationConfig
    from pipeline.comparison.config import ComparisonConfig

EXAMPLE = "Example: lesion compare HAM10000/ --quick --output comparison"


def compare(
    datasets: DatasetsArgument,
    output: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            help="Folder for report.html, comparison.json, predictions.csv and all that was trained.",
        ),
    ] = Path("comparison"),
    arms: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Of full, crop (margin 25%), crop-0, crop-10, crop-50, reference-crop, centre-crop, random-crop, "
            "masked, context-only, both; full is always there.",
        ),
    ] = "full,crop,centre-crop,both",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each arm.")] = 3,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A first answer in minutes: linear heads on a frozen encoder."),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="At most so many images, of lesions drawn from all classes.", show_default=False
        ),
    ] = None,
    splits: SplitsOption = None,
    masks: Annotated[
        Literal["auto", "cross-fitted", "bundle"],
        typer.Option(
            help="What finds the lesions: segmentations trained on other lesions of the dataset, or a bundle's; "
            "auto takes the former where there are masks enough."
        ),
    ] = "auto",
    most_masks: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="The most images that a cross-fitted segmentation learns from; by default all, and 1200 with --quick.",
            show_default=False,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="BUNDLE",
            help="Whose segmentation finds lesions; by default the one that ships.",
            show_default=False,
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="A classification run whose settings all arms are trained with.",
            show_default=False,
        ),
    ] = None,
    encoder_weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="MobileNetV2 without the top; by default that of --like, or 'imagenet', which Keras downloads.",
            show_default=False,
        ),
    ] = None,
    input_side: Annotated[
        int | None,
        typer.Option(
            min=32, help="Pixels of what the classifiers take, a multiple of 32.", show_default=False
        ),
    ] = None,
    small_side: Annotated[
        int | None, typer.Option(min=32, help="The same in the first two phases.", show_default=False)
    ] = None,
    head_epochs: Annotated[
        int | None, typer.Option(min=0, help="Epochs of the head alone.", show_default=False)
    ] = None,
    small_epochs: Annotated[
        int | None, typer.Option(min=0, help="Epochs of all layers at the small side.", show_default=False)
    ] = None,
    full_epochs: Annotated[
        int | None, typer.Option(min=0, help="Epochs of all layers at the full side.", show_default=False)
    ] = None,
    grouping: Annotated[
        Literal["diagnosis", "malignancy"] | None,
        typer.Option(help="Tell diagnoses apart, or malignant from benign.", show_default=False),
    ] = None,
    smallest_difference: Annotated[
        float,
        typer.Option(min=0, max=1, help="Of balanced accuracy, that would matter; fix it beforehand."),
    ] = 0.02,
    robustness: Annotated[
        bool, typer.Option("--robustness/--no-robustness", help="Try the arms on perturbed test images, too.")
    ] = True,
    resamples: Annotated[int, typer.Option(min=100, help="Resamples of the bootstrap over lesions.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the split, the folds and the bootstrap.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Find out whether cropping to the lesion helps on a labelled dataset.

    Every arm is trained on the same images with the same seeds, and sees another part of them. The answer comes in one
    sentence, by a rule that is fixed beforehand. A comparison that was stopped goes on when the same command is given
    again; more arms and seeds can be added to it.
    """
    changes = {
        "input_side": input_side,
        "small_side": small_side,
        "head_epochs": head_epochs,
        "small_epochs": small_epochs,
        "epochs": full_epochs,
        "grouping": grouping,
    }
    settings = {
        "arms": tuple(name.strip() for name in arms.split(",")),
        "seeds": seeds,
        "masks": masks,
        "smallest_difference": smallest_difference,
        "resamples": resamples,
        "robustness": robustness,
        "seed": seed,
    }
    if most_masks is not None:
        settings["most_masks"] = most_masks
    with needing_extra("train"):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with silent_standard_error():
            from pipeline.comparison.running import compare as run_comparison
        from data.datasets.catalog import DatasetError, load_datasets
        from data.images import ImageError
        from data.locking import BusyError, alone_in
        from pipeline.bundle.litert import ModelError
        from pipeline.bundle.loading import BundleError, load_bundle
        from pipeline.comparison.limiting import limited
        from pipeline.comparison.report import write_comparison
        from segmentation.engine.run_folder import RunError

        mistakes = (ImageError, DatasetError, BundleError, RunError, ModelError, BusyError)
        with stopping_on(*mistakes), alone_in(output):
            config = _config(quick, like, encoder_weights, changes, settings)
            catalog = load_datasets(datasets)
            try:
                comparison = run_comparison(
                    catalog if limit is None else limited(catalog, limit, seed),
                    config,
                    output,
                    load_bundle(bundle),
                    splits=splits_in(splits),
                    facts={
                        "Datasets": ", ".join(map(str, datasets)),
                        "Command": shlex.join(["lesion", *sys.argv[1:]]),
                    },
                )
            except KeyboardInterrupt:
                complain(f"{output}: interrupted; give the same command again to go on.")
                raise typer.Exit(INTERRUPTED) from None
            report = write_comparison(comparison, output)
    print(json.dumps(comparison.to_dict(), indent=2) if as_json else f"{comparison.to_text()}\n\n{report}")


def _config(
    quick: bool,
    like: Path | None,
    encoder_weights: str | None,
    changes: dict[str, Any],
    settings: dict[str, Any],
) -> "ComparisonConfig":
    """The settings of the kind of comparison, of the run to be like, and of the command line, in rising rank."""
    from dataclasses import replace

    from pipeline.comparison.config import ComparisonConfig

    config = ComparisonConfig.for_quick(**settings) if quick else ComparisonConfig(**settings)
    classification = config.classification if like is None else _settings_of(like)
    given = {name: value for name, value in changes.items() if value is not None}
    if encoder_weights is not None:
        given["encoder_weights"] = chosen_weights(encoder_weights)
    classification = replace(classification, **given)
    segmentation = replace(config.segmentation, encoder_weights=classification.encoder_weights)
    return replace(config, classification=classification, segmentation=segmentation)


def _settings_of(folder: Path) -> "ClassificationConfig":
    from dataclasses import fields

    from classification.config import ClassificationConfig
    from segmentation.engine.run_folder import open_run

    settings = open_run(folder, "classification").settings
    return ClassificationConfig(
        **{
            field.name: settings[field.name]
            for field in fields(ClassificationConfig)
            if field.name in settings
        }
    )
