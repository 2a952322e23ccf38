"""`lesion compare`: crop against full image, on the user's own data."""

# ruff: noqa: PLC0415 - the command imports what it needs, so that none waits for another's libraries

import json
import os
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from classification.config import ClassificationConfig
from data.silence import silent_standard_error
from pipeline.cli.compare_options import (
    TRAINING_OPTIONS,
    ArmsOption,
    BundleOption,
    LikeOption,
    LimitOption,
    MasksOption,
    MostMasksOption,
    OutputOption,
    QuickOption,
    ResamplesOption,
    RobustnessOption,
    SeedOption,
    SeedsOption,
    SmallestDifferenceOption,
)
from pipeline.cli.console import INTERRUPTED, complain, needing_extra, stopping_on
from pipeline.cli.options import DatasetsArgument, JsonOption, SplitsOption, splits_in
from pipeline.cli.settings_options import with_changes
from pipeline.cli.stopping import ending_softly, was_wished_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.comparison.config import ComparisonConfig
    from pipeline.comparison.results import Comparison

EXAMPLE = "Example: lesion compare HAM10000/ --quick --output comparison"


@with_changes(ClassificationConfig, TRAINING_OPTIONS)
def compare(
    changes: dict[str, Any],
    datasets: DatasetsArgument,
    output: OutputOption = Path("comparison"),
    arms: ArmsOption = "full,crop,centre-crop,both",
    seeds: SeedsOption = 3,
    quick: QuickOption = False,
    limit: LimitOption = None,
    splits: SplitsOption = None,
    masks: MasksOption = "auto",
    most_masks: MostMasksOption = None,
    bundle: BundleOption = None,
    like: LikeOption = None,
    smallest_difference: SmallestDifferenceOption = 0.02,
    robustness: RobustnessOption = True,
    resamples: ResamplesOption = 2000,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Find out whether cropping to the lesion helps on a labelled dataset.

    Every arm is trained on the same images with the same seeds, and sees another part of them. The answer comes in one
    sentence, by a rule that is fixed beforehand. A comparison that was stopped goes on when the same command is given
    again; more arms and seeds can be added to it.
    """
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
    with _stopping_on_mistakes(output):
        config = _config(quick, like, changes, settings)
        comparison, report = _run(datasets, limit, config, output, bundle, splits)
    print(json.dumps(comparison.to_dict(), indent=2) if as_json else f"{comparison.to_text()}\n\n{report}")


@contextmanager
def _stopping_on_mistakes(output: Path) -> "Iterator[None]":
    """A missing extra, what a user can mend, Ctrl-C, or SIGTERM ends the command with one line."""
    with needing_extra("train"):
        from data.datasets.catalog import DatasetError
        from data.images import ImageError
        from data.locking import BusyError, alone_in
        from pipeline.bundle.litert import ModelError
        from pipeline.bundle.loading import BundleError
        from segmentation.engine.run_folder import RunError

        mistakes = (ImageError, DatasetError, BundleError, RunError, ModelError, BusyError)
        with ending_softly(), stopping_on(*mistakes), alone_in(output):
            try:
                yield
            except KeyboardInterrupt:
                complain(f"{output}: interrupted; give the same command again to go on.")
                raise typer.Exit(INTERRUPTED) from None
            except SystemExit as end:
                if was_wished_for(end):
                    complain(f"{output}: ended; give the same command again to go on.")
                raise


def _run(
    datasets: list[Path],
    limit: int | None,
    config: "ComparisonConfig",
    output: Path,
    bundle: Path | None,
    splits: Path | None,
) -> tuple["Comparison", Path]:
    """The comparison, and the path of its report."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silent_standard_error():
        from pipeline.comparison.running import compare as run_comparison
    from data.datasets.catalog import load_datasets
    from pipeline.bundle.litert import usable_cores
    from pipeline.bundle.loading import load_bundle
    from pipeline.comparison.limiting import limited
    from pipeline.comparison.report import write_comparison
    from pipeline.comparison.work import work_text

    catalog = load_datasets(datasets)
    catalog = catalog if limit is None else limited(catalog, limit, config.seed)
    complain(f"{work_text(catalog, config, usable_cores())}.")
    comparison = run_comparison(
        catalog,
        config,
        output,
        load_bundle(bundle),
        splits=splits_in(splits),
        facts={
            "Datasets": ", ".join(map(str, datasets)),
            "Command": shlex.join(["lesion", *sys.argv[1:]]),
        },
    )
    return comparison, write_comparison(comparison, output)


def _config(
    quick: bool,
    like: Path | None,
    changes: dict[str, Any],
    settings: dict[str, Any],
) -> "ComparisonConfig":
    """The settings of the kind of comparison, of the run to be like, and of the command line, in rising rank."""
    from dataclasses import replace

    from pipeline.comparison.config import ComparisonConfig

    config = ComparisonConfig.for_quick(**settings) if quick else ComparisonConfig(**settings)
    classification = config.classification if like is None else _settings_of(like)
    classification = replace(classification, **changes)
    segmentation = replace(config.segmentation, encoder_weights=classification.encoder_weights)
    return replace(config, classification=classification, segmentation=segmentation)


def _settings_of(folder: Path) -> "ClassificationConfig":
    from dataclasses import fields

    from classification.config import ClassificationConfig
    from segmentation.engine.run_folder import open_run

    settings = open_run(folder, "classification").settings
    settings.pop("source_weights", None)  # by the names of the run's own folders
    return ClassificationConfig(
        **{
            field.name: settings[field.name]
            for field in fields(ClassificationConfig)
            if field.name in settings
        }
    )
