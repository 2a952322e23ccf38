"""The folder of a comparison keeps what was trained and predicted: a killed one goes on, a longer one reuses it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.files import replacing, write_text
from data.packages import package_versions
from data.splits import read_splits, write_splits
from pipeline.comparison.config import ComparisonConfig
from segmentation.engine.run_folder import PACKAGES, Run, RunError, fingerprint


@dataclass(frozen=True)
class ComparisonFolder:
    """Where a comparison keeps what took long to make.

    `config.json` says what was asked for and `splits.csv` which image serves for what. `segmentation/` has the folds'
    runs, `masks/` the masks that they found and `masks.csv` how good these are. `arms/` has a run an arm and seed,
    `observations/` what each arm says of the images, condition by condition.
    """

    root: Path

    @property
    def config_path(self) -> Path:
        return self.root / "config.json"

    @property
    def splits_path(self) -> Path:
        return self.root / "splits.csv"

    @property
    def masks_path(self) -> Path:
        return self.root / "masks.csv"

    @property
    def encoder_path(self) -> Path:
        return self.root / "encoder.tflite"

    @property
    def holds_work(self) -> bool:
        """Whether something is there to go on with; a start that failed leaves nothing."""
        runs = [*self.root.glob("segmentation/*"), *self.root.glob("arms/*")]
        kept = (self.root / "masks", self.root / "observations", self.encoder_path)
        return any(path.exists() for path in kept) or any(Run(run).holds_training for run in runs)

    def mask_path(self, image_id: str) -> Path:
        return self.root / "masks" / f"{image_id}.png"

    def fold_run(self, fold: int) -> Run:
        return Run(self.root / "segmentation" / f"fold-{fold}")

    def arm_run(self, arm: str, seed: int) -> Run:
        return Run(self.root / "arms" / f"{arm}-seed{seed}")

    def observation_path(self, condition: str, name: str) -> Path:
        return self.root / "observations" / condition / name

    def save_array(self, condition: str, name: str, values: np.ndarray) -> None:
        with replacing(self.observation_path(condition, f"{name}.npy")) as temporary:
            np.save(temporary, values)

    def load_array(self, condition: str, name: str) -> np.ndarray | None:
        path = self.observation_path(condition, f"{name}.npy")
        return np.load(path, allow_pickle=False) if path.exists() else None


def finished(run: Run) -> bool:
    """Whether a training has come to its end."""
    return (run.folder / "metrics.json").exists() and not run.metrics["interrupted"]


def started(run: Run) -> bool:
    """Whether a training is there to go on with."""
    return (run.folder / "config.json").exists()


def start_folder(
    root: str | Path,
    config: ComparisonConfig,
    catalog: pd.DataFrame,
    segmentation: str,
    splits: pd.DataFrame,
) -> ComparisonFolder:
    """Make the folder, or go on with the one that is there if its trainings were the same.

    Parameters
    ----------
    root : path
    config : ComparisonConfig
    catalog : DataFrame
    segmentation : str
        What finds the lesions: "cross-fitted", or the hash of a bundle's model.
    splits : DataFrame with `image_id` and `split`

    Raises
    ------
    RunError
        If the folder holds a comparison whose arms were trained otherwise, or on other images or another split.
    """
    folder = ComparisonFolder(Path(root))
    wanted = {
        "settings": json.loads(json.dumps(config.shared_settings())),
        "segmentation": segmentation,
        "fingerprint": fingerprint(catalog),
    }
    if folder.config_path.exists() and folder.holds_work:
        _check_same(folder, wanted, splits)
        return folder
    write_splits(splits, folder.splits_path)
    recorded = {**wanted, "packages": package_versions(PACKAGES)}
    write_text(folder.config_path, json.dumps(recorded, indent=2) + "\n")
    return folder


def _check_same(folder: ComparisonFolder, wanted: Mapping[str, Any], splits: pd.DataFrame) -> None:
    try:
        before = json.loads(folder.config_path.read_text(encoding="utf-8"))
        settings = before["settings"]
    except (ValueError, KeyError) as error:
        raise RunError(f"{folder.config_path} is damaged ({error}); give another --output.") from error
    changed = [name for name in wanted["settings"] if wanted["settings"][name] != settings.get(name)]
    if changed:
        raise RunError(
            f"{folder.root} holds a comparison with another {' and another '.join(changed)}; give the settings that "
            "it was started with, or another --output."
        )
    kept = read_splits(folder.splits_path).set_index("image_id")["split"].to_dict()
    if (
        before["fingerprint"] != wanted["fingerprint"]
        or kept != splits.set_index("image_id")["split"].to_dict()
    ):
        raise RunError(
            f"{folder.root} holds a comparison on other images or another split; give another --output."
        )
    if before["segmentation"] != wanted["segmentation"]:
        raise RunError(
            f"{folder.root} holds a comparison whose lesions were found by another segmentation; give the same "
            "--masks and --bundle, or another --output."
        )
