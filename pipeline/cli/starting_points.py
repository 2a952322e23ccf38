"""What --start and --teacher may name: a run, or a bundle, whose networks are rebuilt so that they can learn."""

# ruff: noqa: PLC0415 - only the commands that train import what it needs

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.console import complain
from pipeline.cli.segmentations import bundle_at

if TYPE_CHECKING:
    import pandas as pd

    from segmentation.engine.run_folder import Run

# Of the user's own images, from which the batch normalisation's statistics come.
SAMPLES = 48


def open_start(path: Path, stage: str | None, catalog: "pd.DataFrame", output: Path) -> "Run":
    """The run to start from.

    Parameters
    ----------
    path : Path
        A run of the stage (of any for None), a bundle, or the word "bundle" for the one that ships.
    stage : "segmentation", "classification" or None
    catalog : DataFrame
        Whose images a rebuilt network gets its statistics from.
    output : Path
        The new run's folder, in which a bundle's network is rebuilt once.
    """
    from segmentation.engine.run_folder import Run, open_run

    bundle = bundle_at(path)
    if bundle is None:
        return open_run(path, stage)
    from pipeline.export.rebuilding import inputs_of, rebuilt_run

    stage = stage or "segmentation"
    identity = bundle.segmentation.sha256 if stage == "segmentation" else bundle.classification.sha256
    folder = output / f"start-{identity[:12]}"
    run = Run(folder)
    if not (folder / "config.json").exists():
        run = rebuilt_run(bundle, stage, inputs_of(bundle, stage, _some_paths(catalog)), folder)
    complain(f"bundle {bundle.name}: its {stage} network was rebuilt for training, in {run.folder}.")
    return run


def teacher_side(path: Path) -> int:
    """The side of the images, in pixels, that a teacher's network sees: of a run or of a bundle."""
    from segmentation.engine.run_folder import open_run

    bundle = bundle_at(path)
    if bundle is not None:
        return bundle.classification.input_shape[0]
    side: int = open_run(path, "classification").metrics["input_side"]
    return side


def tell_head(start: "Run", classes: Sequence[str]) -> None:
    """Say what of the head goes on and what is learned anew."""
    known = start.metrics["classes"]
    kept, new = [name for name in classes if name in known], [name for name in classes if name not in known]
    dropped = [name for name in known if name not in classes]
    parts = [f"kept for {', '.join(kept)}"] if kept else []
    parts += [f"learned anew for {', '.join(new)}"] if new else []
    parts += [f"without {', '.join(dropped)}"] if dropped else []
    complain(f"starting from {start.folder}: its head is {'; '.join(parts)}.")


def tell_learned_tests(start: "Run", runs: "Sequence[Run]") -> None:
    """Say how many of the new runs' test images taught the start, as far as it knows."""
    import pandas as pd

    if not start.splits_path.exists():
        return
    known, splits = start.all_splits, pd.concat([run.splits for run in runs])
    tested = splits.loc[splits["split"] == "test", "image_id"]
    learned = known.loc[known["split"] != "test", "image_id"]
    if count := int(tested.isin(learned).sum()):
        complain(
            f"{count} of the {len(tested)} test images taught {start.folder}, from which this training started: "
            "figures on them flatter; test it on other images."
        )


def _some_paths(catalog: "pd.DataFrame") -> list[str]:
    """Files of some of the catalog's images, from all over it."""
    import numpy as np

    positions = np.unique(np.linspace(0, len(catalog) - 1, min(SAMPLES, len(catalog))).astype(int))
    return list(catalog["image_path"].iloc[positions])
