"""What a training says before it starts and when it has ended."""

# ruff: noqa: PLC0415 - only the commands that train import what it needs

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from classification.config import ClassificationConfig
from pipeline.cli.console import INTERRUPTED, complain
from segmentation.config import SegmentationConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classification.metrics import ClassificationScores


def tell_work(
    settings: SegmentationConfig | ClassificationConfig,
    images: int,
    teachers_sides: "Sequence[int]" = (),
    folds: int | None = None,
) -> None:
    """Say how long it will take and what it needs, of a usual split where it is not made yet."""
    from data.splits import DEFAULT_FRACTIONS
    from segmentation.engine.estimating import estimate_training

    train, validation = DEFAULT_FRACTIONS[:2] if folds is None else (1 - 2 / folds, 1 / folds)
    stage, room = "segmentation", 1.0
    if isinstance(settings, ClassificationConfig):
        stage, room = "classification", 1 + 3 * settings.jitter if settings.view == "crop" else 1.0
    estimate = estimate_training(
        stage,
        settings.phases,
        round(train * images),
        round(validation * images),
        settings.batch_size,
        room=room,
        teachers_sides=teachers_sides,
        times=folds or 1,
    )
    complain(f"{images} images: {estimate.to_text()}.")


def report_segmentation(metrics: dict[str, Any], output: Path) -> None:
    figures = metrics["validation"]
    _report(
        metrics,
        output,
        f"Jaccard {figures['jaccard']['value']:.3f}, threshold Jaccard "
        f"{figures['threshold_jaccard']['value']:.3f} at a threshold of {metrics['threshold']}",
    )


def report_classification(metrics: dict[str, Any], output: Path) -> None:
    figures = metrics["validation"]
    if missing := figures["without_support"]:
        complain(
            f"validation had no image of {', '.join(missing)}, so that neither the choice of the best epoch nor its "
            "figures know of it; add images of more lesions, or give other --splits."
        )
    _report(
        metrics,
        output,
        f"balanced accuracy {figures['balanced_accuracy']['value']:.3f}, macro F1 {figures['macro_f1']['value']:.3f}",
    )


def report_folds(
    scores: "ClassificationScores | None", output: Path, folds: int, settings: ClassificationConfig
) -> None:
    if scores is None:
        complain(f"{output}: interrupted; give the same command with --resume to go on.")
        raise typer.Exit(INTERRUPTED)
    from pipeline.evaluation.cross_validation_report import write_cross_validation

    facts = {
        "Folds": f"{folds}, by lesion and by images that look alike; each was chosen on the next one",
        "View": settings.view,
        "Encoder": settings.encoder,
        "Input": f"{settings.input_side} x {settings.input_side} pixels",
        "Seed": str(settings.seed),
        "Command": shlex.join(["lesion", *sys.argv[1:]]),
    }
    page = write_cross_validation(scores, output, facts)
    typer.echo(
        f"{scores.to_text()}\n\n{page}; out-of-fold.csv, cross-validation.json and a run a fold beside it"
    )


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
