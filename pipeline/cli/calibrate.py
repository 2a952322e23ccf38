"""The `lesion calibrate` command."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that none waits for another's libraries

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import needing_extra, stopping_on
from pipeline.cli.options import DatasetsArgument

EXAMPLE = "Example: lesion calibrate HAM10000/ ISIC2018/ --bundle bundle"


def calibrate(
    datasets: DatasetsArgument,
    bundle: Annotated[
        Path,
        typer.Option(metavar="BUNDLE", file_okay=False, help="The bundle to write anew.", show_default=False),
    ],
    most: Annotated[
        int, typer.Option(min=10, help="Training images of each dataset that tell what is usual.")
    ] = 1000,
    unlike: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Photographs of anything else, to learn what is no dermoscopy.",
        ),
    ] = None,
    odds: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=FACTOR",
            help="Multiply a class's odds, so that fewer of it are missed and more named falsely; mel=1 takes it back.",
        ),
    ] = None,
    again: Annotated[
        float | None,
        typer.Option(
            "--second-look",
            metavar="PART",
            min=0,
            max=1,
            help="Part of the validation images that get a second look, at mirror images, because the first is unsure; "
            "0.15 by default, and 0 for none.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="A new name for the bundle, which answers otherwise now.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the images drawn.")] = 0,
) -> None:
    """Set a bundle's temperatures and thresholds on its validation images, through the models that it holds.

    The mask's threshold is chosen for all datasets that have masks alike. The temperatures and the limits of doubt are
    measured on all together, for the diagnosis as it is, averaged over flips, and after a second look where the first
    is unsure. The bundle also learns how images of these datasets look, so that it can say of another one that it is
    unlike them; photographs of other things, if there are some, make it surer.
    """
    with needing_extra("evaluate"):
        from classification.test_time_augmentation import AGAIN
        from data.datasets.catalog import DatasetError
        from data.images import ImageError
        from pipeline.bundle.loading import BundleError, load_bundle
        from pipeline.export.calibrating import calibrate as calibrate_bundle
        from pipeline.export.calibrating import sources_of
        from pipeline.export.odds import parse_odds, with_odds
        from pipeline.export.other_pictures import pictures_in

    with stopping_on(BundleError, DatasetError, ImageError, ValueError):
        factors = parse_odds(odds or ())
        command = shlex.join(["lesion", *sys.argv[1:]])
        loaded = load_bundle(bundle)
        sources = sources_of(datasets, loaded, most, seed)
        others = pictures_in(unlike) if unlike else ()
        if factors:
            loaded = with_odds(loaded, factors)
        part = AGAIN if again is None else again
        calibrated = calibrate_bundle(
            loaded, sources, unlike=others, again=part, seed=seed, name=name, command=command
        )
    for figures in calibrated.figures["calibration"]:
        parts = [f"{figures['validation_images']} validation images"]
        if "calibration_error" in figures:
            parts.append(f"calibration error {figures['calibration_error']:.3f}")
        if "second_looks" in figures:
            parts.append(f"{figures['second_looks']:.0%} looked at again")
        if "unlike_training" in figures:
            parts.append(f"{figures['unlike_training']:.1%} unlike the training images")
        print(f"{figures['source']}: {', '.join(parts)}")
    if calibrated.figures["odds"]:
        without, here = calibrated.figures["odds"]
        told = {
            f"recall of {name}": (without["recall"][name], recall) for name, recall in here["recall"].items()
        }
        told |= {
            key.replace("_", " "): (without[key], here[key]) for key in ("balanced_accuracy", "macro_f1")
        }
        print(
            "odds: " + ", ".join(f"{name} {before:.3f} -> {now:.3f}" for name, (before, now) in told.items())
        )
    print(f"{bundle}: mask threshold {calibrated.threshold}, temperature {calibrated.temperature:.3f}")
