"""Options that several commands share, and the names that options had before."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

DISCLAIMER = "For research and teaching; not a medical device."

# They still work, and no help shows them.
FORMER_NAMES = {
    "epochs": "full-epochs",
    "flips": "tta",
    "no-peers": "no-baselines",
    "peers": "baselines",
    "repetitions": "resamples",
}

DatasetsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="DATASET", help="Folders of labelled datasets.", show_default=False),
]
BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="BUNDLE",
        help="Folder of the bundle; by default the one that ships.",
        show_default=False,
    ),
]
SplitsOption = Annotated[
    Path | None,
    typer.Option(
        "--splits",
        metavar="FILE",
        help="A csv with image_id and split; by default a split by lesion.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Threads for one inference; by default one a core, at most 4.",
        show_default=False,
    ),
]
TTAOption = Annotated[
    bool | None,
    typer.Option(
        "--tta/--no-tta",
        help="Test-time augmentation: average the diagnosis over the crop's mirror images; steadier, and slower. "
        "By default where the first look is unsure, if the bundle says when that is.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


def current_name(option: str) -> str:
    """The name of an option, without dashes, where it may have been given by its former one."""
    return FORMER_NAMES.get(option, option)


def splits_in(path: Path | None) -> "pd.DataFrame | None":
    """What the file of a `SplitsOption` holds."""
    from data.splits import read_splits  # noqa: PLC0415 - brings pandas

    return None if path is None else read_splits(path)


def chosen_weights(value: str) -> str | None:
    """What `--encoder-weights` stands for: a file, "imagenet", or None for random weights."""
    if value in {"none", "imagenet"}:
        return None if value == "none" else value
    if not Path(value).is_file():
        raise typer.BadParameter(f"{value} is no file; give a file, 'imagenet' or 'none'.")
    return value
