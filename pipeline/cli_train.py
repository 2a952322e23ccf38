"""`lesion train` and `lesion export`: what needs TensorFlow."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segmentation.config import SegmentationConfig

if TYPE_CHECKING:
    import pandas as pd

train_app = typer.Typer(no_args_is_help=True, help="Train one stage alone, into a run folder.")

_SEGMENTATION = SegmentationConfig()


class Strength(StrEnum):
    NONE = "none"
    LIGHT = "light"
    STRONG = "strong"


Datasets = Annotated[list[Path], typer.Argument(help="One dataset folder or several.", show_default=False)]
Output = Annotated[Path, typer.Option("--output", help="The run folder to write.", show_default=False)]
Splits = Annotated[Path | None, typer.Option("--splits", help="A split to use: a csv with image_id and split.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the training in --output.")]
EncoderWeights = Annotated[
    str, typer.Option("--encoder-weights", help="A file without the top, 'imagenet' (Keras downloads it) or 'none'.")
]
Augmentation = Annotated[Strength, typer.Option("--augmentation", help="How much the images are varied.")]
Seed = Annotated[int, typer.Option("--seed", help="For the split, the weights and the batches.")]


@train_app.command("segmentation")
def train_segmentation(
    datasets: Datasets,
    output: Output,
    splits: Splits = None,
    resume: Resume = False,
    encoder_weights: EncoderWeights = "imagenet",
    input_size: Annotated[tuple[int, int], typer.Option(help="Height and width of the model's input.")] = (
        _SEGMENTATION.input_size
    ),
    small_size: Annotated[tuple[int, int], typer.Option(help="Height and width of the first epochs.")] = (
        _SEGMENTATION.small_size
    ),
    small_epochs: Annotated[int, typer.Option(help="Epochs at the small size.")] = _SEGMENTATION.small_epochs,
    epochs: Annotated[int, typer.Option(help="Epochs at the full size.")] = _SEGMENTATION.epochs,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = _SEGMENTATION.batch_size,
    learning_rate: Annotated[float, typer.Option(help="The peak of the schedule.")] = _SEGMENTATION.learning_rate,
    augmentation: Augmentation = Strength(_SEGMENTATION.augmentation),
    patience: Annotated[int, typer.Option(help="Epochs without a better figure.")] = _SEGMENTATION.patience,
    seed: Seed = _SEGMENTATION.seed,
) -> None:
    """Train the U-Net that finds the lesion, on every image that has a mask.

    Example: lesion train segmentation HAM10000/ ISIC2018/ --output runs/segmentation
    """
    config = SegmentationConfig(
        input_size=input_size,
        small_size=small_size,
        small_epochs=small_epochs,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        augmentation=augmentation.value,
        encoder_weights=_encoder_weights(encoder_weights),
        patience=patience,
        seed=seed,
    )
    from segmentation.training import train  # noqa: PLC0415

    metrics = train(_catalog(datasets), config, output, splits=_splits(splits), resume=resume)
    figures = metrics["validation"]
    typer.echo(
        f"validation: Jaccard {figures['jaccard']['value']:.3f}, threshold Jaccard "
        f"{figures['threshold_jaccard']['value']:.3f} at {metrics['threshold']}; "
        f"{metrics['images_per_second']} images/s; the run is in {output}"
    )


def _catalog(datasets: list[Path]) -> "pd.DataFrame":
    from data.datasets import load_datasets  # noqa: PLC0415

    return load_datasets(datasets)


def _splits(path: Path | None) -> "pd.DataFrame | None":
    from data.splits import read_splits  # noqa: PLC0415

    return None if path is None else read_splits(path)


def _encoder_weights(value: str) -> str | None:
    if value in {"none", "imagenet"}:
        return None if value == "none" else value
    if not Path(value).is_file():
        raise typer.BadParameter(f"{value} is no file; give a file, 'imagenet' or 'none'.")
    return value
