"""What a command's --segmentation may name: a training's run folder, or a bundle."""

# ruff: noqa: PLC0415 - only the commands that train import what it needs

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.bundle.loading import Bundle
    from segmentation.engine.run_folder import Run

SHIPPED = "bundle"


def open_segmentation(path: Path) -> "Run | Bundle":
    """Open a segmentation run, or the bundle in a folder; the word "bundle" is the one that ships.

    A folder of that name comes first.
    """
    from pipeline.bundle.loading import MANIFEST_FILE, load_bundle
    from segmentation.engine.run_folder import open_run

    if (path / MANIFEST_FILE).exists():
        return load_bundle(path)
    if str(path) == SHIPPED and not path.exists():
        return load_bundle()
    return open_run(path, "segmentation")
