"""The `lesion export` command."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that none waits for another's libraries

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli.console import complain
from pipeline.cli.segmentations import open_segmentation
from pipeline.cli.train import stopping_on_mistakes

if TYPE_CHECKING:
    from pipeline.bundle.loading import Bundle
    from segmentation.engine.run_folder import Run

EXAMPLE = "Example: lesion export --segmentation runs/segmentation --classification runs/crop --output bundle"

Precision = Literal["float32", "float16", "int8"]


def export(
    classification: Annotated[
        Path, typer.Option(metavar="RUN", help="The classification run.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option(metavar="BUNDLE", file_okay=False, help="The bundle's folder.", show_default=False)
    ],
    segmentation: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN|BUNDLE",
            help="The segmentation run, or 'bundle' or a bundle's folder, whose U-Net is taken over as it is; by "
            "default that of the bundle that ships, where the classifier sees whole images or was trained with it.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        Precision, typer.Option(help="Of the models: int8 is smallest and fastest.")
    ] = "float32",
    name: Annotated[
        str | None, typer.Option(help="Of the bundle; by default its folder's name.", show_default=False)
    ] = None,
    prior_strength: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How much the classes' shares count in a classifier trained with logit adjustment, from 0 (best "
            "balanced accuracy) to 1; by default what its training has chosen. Calibrate the bundle afterwards.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Convert two trained models to a bundle for `lesion predict`, and check that they still say the same."""
    with stopping_on_mistakes():
        from pipeline.export.exporting import export as export_bundle
        from segmentation.engine.run_folder import open_run

        run = open_run(classification, "classification")
        bundle = export_bundle(
            _segmentation(segmentation, run),
            run,
            output,
            precision=precision,
            name=name,
            prior_strength=prior_strength,
            warn=complain,
        )
    sizes = {
        path.name: path.stat().st_size / 1e6
        for path in (bundle.segmentation_path, bundle.classification_path)
    }
    typer.echo(f"{output}: " + ", ".join(f"{name} {size:.1f} MB" for name, size in sizes.items()))
    for stage, parity in bundle.figures["parity"].items():
        typer.echo(
            f"{stage}: differs from Keras by {parity['mean']:.1e} on average, {parity['largest']:.1e} at most"
        )


def _segmentation(given: Path | None, classification: "Run") -> "Run | Bundle":
    """What the bundle shall find lesions with, as the option or else the classifier's training says."""
    from pipeline.bundle.loading import load_bundle
    from pipeline.export.segmentation_part import identity
    from segmentation.engine.run_folder import RunError

    if given is not None:
        return open_segmentation(given)
    bundle, settings = load_bundle(), classification.settings
    if settings["view"] == "crop" and settings.get("segmentation") != identity(bundle):
        raise RunError(
            f"{classification.folder} was trained on crops; give the segmentation that found them with --segmentation."
        )
    return bundle
