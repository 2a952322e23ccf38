"""The `lesion dataset` commands."""

# ruff: noqa: PLC0415 - each command imports what it needs, so that none waits for another's libraries

import json
from pathlib import Path
from typing import Annotated

import typer

from data.progress import progress_bar
from pipeline.cli.console import SOME_FAILED, needing_extra, stopping_on
from pipeline.cli.options import JsonOption

app = typer.Typer(help="Check a dataset, or draw one.", no_args_is_help=True)


@app.command(epilog="Example: lesion dataset check HAM10000/")
def check(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Folder of the dataset.", show_default=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """Say what a dataset holds and what is wrong with it.

    The exit status is 1 where there are problems.
    """
    from data.datasets.catalog import DatasetError
    from data.datasets.checking import check_dataset

    with stopping_on(DatasetError), progress_bar("reading images") as progress:
        found = check_dataset(dataset, progress=progress)
    print(json.dumps(found.to_dict(), indent=2) if as_json else found.to_text())
    if found.problems:
        raise typer.Exit(SOME_FAILED)


@app.command(epilog="Example: lesion dataset synthesize drawn/ --count 200 --seed 1")
def synthesize(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="New folder for the dataset.", show_default=False)
    ],
    count: Annotated[int, typer.Option(min=1, help="Number of images.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other lesions.")] = 0,
    height: Annotated[int, typer.Option(min=64, help="Of the images, in pixels.")] = 450,
    width: Annotated[int, typer.Option(min=64, help="Of the images, in pixels.")] = 600,
) -> None:
    """Draw a dataset of lesions, in HAM10000's form.

    Every image has its exact mask and a diagnosis that follows visible rules."""
    from data.datasets.catalog import DatasetError
    from data.drawing.dataset import synthesize_dataset

    with stopping_on(DatasetError), progress_bar("drawing") as progress:
        synthesize_dataset(directory, count, seed, size=(height, width), progress=progress)
    print(f"{directory}: {count} drawn images with masks and HAM10000_metadata.csv")


@app.command(epilog="Example: lesion dataset split HAM10000/ BCN20000/ --extend splits.csv --output all.csv")
def split(
    datasets: Annotated[
        list[Path],
        typer.Argument(metavar="DATASET", help="One dataset folder or several.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option(metavar="FILE", dir_okay=False, help="The csv to write.", show_default=False)
    ],
    extend: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A split whose validation and test stay as they are: all other images are for training, and those "
            "that show a held-out lesion are left out.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of a new split.")] = 0,
) -> None:
    """Split datasets by lesion into train, validation and test, near-duplicates kept together."""
    with needing_extra("evaluate"):
        from data.datasets.catalog import DatasetError, load_datasets
        from data.images import ImageError
        from data.near_duplicates import perceptual_hashes
        from data.splits import extend_splits, read_splits, split_dataset, write_splits

    with stopping_on(DatasetError, ImageError):
        catalog = load_datasets(datasets)
        given = None if extend is None else read_splits(extend)
        hashes = perceptual_hashes(list(catalog["image_path"]))
        splits = (
            split_dataset(catalog, hashes, seed) if given is None else extend_splits(given, catalog, hashes)
        )
        write_splits(splits, output)
    counts = splits["split"].value_counts()
    parts = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("train", "validation", "test"))
    print(f"{output}: {parts}; {len(catalog) - len(splits)} images left out, which show a held-out lesion")


@app.command(
    epilog="Example: lesion dataset measure HAM10000/ --splits splits.csv --output typical_ranges.json"
)
def measure(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Folder of the dataset.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option(metavar="FILE", dir_okay=False, help="The json to write.", show_default=False)
    ],
    splits: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Only the images for training that this split names.", show_default=False
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="At most so many images of each diagnosis.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice among more.")] = 0,
) -> None:
    """Measure the lesions of labelled images with masks: which values are typical of a diagnosis."""
    with needing_extra("app"):
        from data.datasets.catalog import DatasetError, load_dataset
        from data.files import write_text
        from data.images import ImageError, read_image, read_mask
        from data.splits import read_splits
        from segmentation.shape import measure_lesion
        from segmentation.typical import typical_ranges

    with stopping_on(DatasetError, ImageError):
        catalog = load_dataset(dataset).dropna(subset=["mask_path", "dx"])  # nosec B615 - ours
        if splits:
            known = read_splits(splits)
            catalog = catalog[catalog["image_id"].isin(known.loc[known["split"] == "train", "image_id"])]
        chosen = catalog.sample(frac=1, random_state=seed).groupby("dx").head(most)
        if chosen.empty:
            raise DatasetError(f"{dataset} has no image with both a mask and a diagnosis to measure.")
        measured = []
        with progress_bar("measuring") as progress:
            columns = (chosen[name].astype(str) for name in ("dx", "mask_path", "image_path"))
            for number, (dx, mask_path, image_path) in enumerate(zip(*columns, strict=True), 1):
                measured.append((dx, measure_lesion(read_image(image_path), read_mask(mask_path))))
                progress(number, len(chosen))
        ranges = {"dataset": dataset.name, "diagnoses": typical_ranges(measured)}
        write_text(output, json.dumps(ranges, indent=1) + "\n")
    print(f"{output}: typical ranges of {len(chosen)} lesions")
