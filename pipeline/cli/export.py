"""The `lesion export` command."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that none waits for another's libraries

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.train import stopping_on_mistakes

EXAMPLE = "Example: lesion export --segmentation runs/segmentation --classification runs/crop --output bundle"

Precision = Literal["float32", "float16", "int8"]


def export(
    segmentation: Annotated[
        Path, typer.Option(metavar="RUN", help="The segmentation run.", show_default=False)
    ],
    classification: Annotated[
        Path, typer.Option(metavar="RUN", help="The classification run.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option(metavar="BUNDLE", file_okay=False, help="The bundle's folder.", show_default=False)
    ],
    precision: Annotated[
        Precision, typer.Option(help="Of the models: int8 is smallest and fastest.")
    ] = "float32",
    name: Annotated[
        str | None, typer.Option(help="Of the bundle; by default its folder's name.", show_default=False)
    ] = None,
) -> None:
    """Convert two trained models to a bundle for `lesion predict`, and check that they still say the same."""
    with stopping_on_mistakes():
        from pipeline.export.exporting import export as export_bundle
        from segmentation.engine.run_folder import open_run

        bundle = export_bundle(
            open_run(segmentation, "segmentation"),
            open_run(classification, "classification"),
            output,
            precision=precision,
            name=name,
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
