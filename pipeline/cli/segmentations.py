"""What a command's --segmentation may name: a training's run folder, or a bundle."""

# ruff: noqa: PLC0415 - only the commands that train import what it needs

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.console import complain

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.bundle.loading import Bundle
    from segmentation.engine.run_folder import Run
    from segmentation.locating import Locator


def bundle_at(path: Path) -> "Bundle | None":
    """The bundle in a folder, the one that ships for the word "bundle" where no folder is called so, or None."""
    from pipeline.bundle.loading import MANIFEST_FILE, SHIPPED, load_bundle

    if (path / MANIFEST_FILE).exists():
        return load_bundle(path)
    return load_bundle() if str(path) == SHIPPED and not path.exists() else None


def open_segmentation(path: Path) -> "Run | Bundle":
    """The segmentation run, or the bundle, that an option names."""
    from segmentation.engine.run_folder import open_run

    return bundle_at(path) or open_run(path, "segmentation")


def open_locator(path: Path, catalog: "pd.DataFrame") -> "Locator":
    """What finds the lesions of a training; a bundle's says which of the images it has seen."""
    from pipeline.prediction.locating import BundleLocator
    from segmentation.engine.run_folder import Run
    from segmentation.locating import RunLocator

    segmentation = open_segmentation(path)
    if isinstance(segmentation, Run):
        return RunLocator(segmentation)
    locator = BundleLocator(segmentation)
    complain(f"{locator.name} finds the lesions. {_seen(locator, catalog)}")
    return locator


def _seen(locator: "Locator", catalog: "pd.DataFrame") -> str:
    if locator.splits is None:
        return (
            "It does not tell which images it was trained on; if these are among them, their crops flatter."
        )
    learned = locator.splits.loc[locator.splits["split"] != "test", "image_id"]
    seen = catalog["image_id"].isin(learned)
    if not seen.any():
        return "It was trained on none of these images."
    named = ", ".join(catalog.loc[seen, "image_id"].head(3))
    return (
        f"It was trained or chosen on {seen.sum()} of these {len(catalog)} images, such as {named}: their crops are "
        "better than those of new images, so that none of them is a test here unless --splits says so."
    )
