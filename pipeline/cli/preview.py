"""The `lesion train preview` command."""

# ruff: noqa: PLC0415 - each command imports what it needs, so that none waits for another's libraries

from pathlib import Path
from typing import Annotated, Literal

import typer

from classification.config import ClassificationConfig
from pipeline.cli.console import needing_extra, stopping_on
from pipeline.cli.options import DatasetsArgument
from segmentation.config import SegmentationConfig
from segmentation.engine.phases import Strength

Stage = Literal["segmentation", "classification"]


def preview(
    datasets: DatasetsArgument,
    output: Annotated[
        Path, typer.Option(metavar="FILE", dir_okay=False, help="The picture to write, a .png.")
    ] = Path("preview.png"),
    stage: Annotated[
        Stage | None,
        typer.Option(
            help="Whose augmentation; by default segmentation where there are masks.", show_default=False
        ),
    ] = None,
    augmentation: Annotated[Strength, typer.Option(help="How much the images are varied.")] = "strong",
    images: Annotated[int, typer.Option(min=1, max=40, help="Rows of the sheet.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Another seed shows other changes.")] = 0,
) -> None:
    """Show what the augmentation makes of the images, and of their masks, before a training.

    The sheet has a row an image: as it is, and as five epochs would see it.
    """
    with needing_extra("train"):
        from data.datasets.catalog import DatasetError, load_datasets
        from data.images import ImageError
        from segmentation.engine.curves import save_figure
        from segmentation.preview import augmentation_sheet

        with stopping_on(DatasetError, ImageError):
            catalog = load_datasets(datasets)
            masked = catalog[catalog["mask_path"].notna()].reset_index(drop=True)
            stage = stage or ("segmentation" if len(masked) else "classification")
            if stage == "segmentation" and masked.empty:
                raise DatasetError("the dataset has no masks; give --stage classification.")
            shown = masked if stage == "segmentation" else catalog
            side = ClassificationConfig().input_side
            size = SegmentationConfig().input_size if stage == "segmentation" else (side, side)
            sheet = augmentation_sheet(shown, stage, augmentation, size, images=images, seed=seed)
            save_figure(sheet, output)
    print(f"{output}: {min(images, len(shown))} images as the {stage} sees them")
