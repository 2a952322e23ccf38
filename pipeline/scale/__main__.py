"""`python -m pipeline.scale SOURCE OUTPUT`: predict on a Ray cluster."""

from typing import Annotated

import typer

from pipeline.cli.console import needing_extra, stopping_on
from pipeline.cli.options import TTAOption


def main(
    source: Annotated[
        str, typer.Argument(help="Folder or URI of image files, or of Parquet with --parquet.")
    ],
    output: Annotated[str, typer.Argument(help="Folder or URI for Parquet files, which every node reaches.")],
    address: Annotated[
        str | None,
        typer.Option("--address", help="The cluster's; `auto` for one on this machine. Else a new one."),
    ] = None,
    bundle: Annotated[
        str | None, typer.Option("--bundle", help="Folder of the bundle, on every node.")
    ] = None,
    tta: TTAOption = None,
    actors: Annotated[
        int | None, typer.Option("--actors", min=1, help="Processes that hold the models.")
    ] = None,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Read Parquet with the columns bytes and path.")
    ] = False,
) -> None:
    """Predict all images of a source on a Ray cluster."""
    with needing_extra("scale"):
        import ray  # noqa: PLC0415

        from pipeline.scale.actor import ClusterSettings  # noqa: PLC0415
        from pipeline.scale.locations import LocationError  # noqa: PLC0415
        from pipeline.scale.predicting import predict_on_cluster  # noqa: PLC0415
    ray.init(address=address)
    with stopping_on(LocationError):
        predict_on_cluster(source, output, ClusterSettings(bundle, tta, actors), parquet)


typer.run(main)
