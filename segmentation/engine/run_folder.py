"""The run folder: everything needed to understand a training, to repeat it, and to go on with it."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.datasets.catalog import DatasetError
from data.files import replacing, write_text
from data.packages import package_versions
from data.splits import joined_splits, read_splits, write_splits

PACKAGES = (
    "lesion", "tensorflow", "keras", "jax", "segmentation-models", "albumentations", "opencv-python-headless",
    "numpy", "pandas", "scikit-learn", "pillow", "imagehash",
)  # fmt: skip
# What runs did before there was a setting for it, and do not tell.
FORMER_SETTINGS: dict[str, Any] = {
    "encoder": "mobilenetv2",
    "averaged": [],
    "frozen_stride": 0,
    "source_weights": {},
}
FILES = (
    "splits.csv",
    "earlier-splits.csv",
    "history.csv",
    "metrics.json",
    "samples.npz",
    "model.keras",
    "answers.npy",
)
AGE_BOUNDS = (0, 30, 50, 70, 200)
AGE_GROUPS = ("0-29", "30-49", "50-69", "70+")


class RunError(Exception):
    """A run folder that can't be used; the message names it, what is wrong, and the mend."""


@dataclass(frozen=True)
class Run:
    """A run folder.

    `config.json` says what was asked for, `splits.csv` which image served for what, `earlier-splits.csv` the same of
    the runs that this one started from, `history.csv` how each epoch went, `metrics.json` what came out, `model.keras`
    is the best model so far, `samples.npz` holds inputs that an export checks it on, `logs/` is for TensorBoard, and
    `checkpoint/` is what a resumed training starts from.
    """

    folder: Path

    @property
    def model_path(self) -> Path:
        return self.folder / "model.keras"

    @property
    def splits_path(self) -> Path:
        return self.folder / "splits.csv"

    @property
    def earlier_splits_path(self) -> Path:
        """Which images taught the runs that this one started from; there only where it did."""
        return self.folder / "earlier-splits.csv"

    @property
    def checkpoint_folder(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def cache_folder(self) -> Path:
        return self.folder / "cache"

    @property
    def holds_training(self) -> bool:
        """Whether an epoch at least is there to go on with; a start that failed leaves none."""
        return self.model_path.exists() or (self.checkpoint_folder / "state.json").exists()

    @property
    def log_folder(self) -> Path:
        return self.folder / "logs"

    @cached_property
    def config(self) -> dict[str, Any]:
        """What `config.json` holds: stage, settings, dataset, packages, command."""
        return self._read_json("config.json")

    @property
    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.config["settings"]
        return settings

    @property
    def metrics(self) -> dict[str, Any]:
        return self._read_json("metrics.json")

    @cached_property
    def splits(self) -> pd.DataFrame:
        try:
            return read_splits(self.splits_path)
        except DatasetError as error:
            raise RunError(str(error)) from error

    @property
    def all_splits(self) -> pd.DataFrame:
        """`splits`, and the images of all runs before it that its weights come from."""
        if not self.earlier_splits_path.exists():
            return self.splits
        try:
            return joined_splits(self.splits, read_splits(self.earlier_splits_path))
        except DatasetError as error:
            raise RunError(str(error)) from error

    @property
    def samples(self) -> dict[str, np.ndarray]:
        """Inputs of the model, uint8 (n, H, W, 3): "calibration" from training, "validation" from validation."""
        path = self.folder / "samples.npz"
        if not path.exists():
            raise RunError(f"{self.folder} has no samples.npz; finish its training with --resume.")
        with np.load(path, allow_pickle=False) as samples:
            return dict(samples)

    def write_samples(self, calibration: np.ndarray, validation: np.ndarray) -> None:
        with replacing(self.folder / "samples.npz") as temporary:
            np.savez_compressed(temporary, calibration=calibration, validation=validation)

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        write_text(self.folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")

    def write_history(self, rows: list[dict[str, Any]]) -> None:
        with replacing(self.folder / "history.csv") as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False)

    def _read_json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            content: Any = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            if name != "config.json" and (self.folder / "config.json").exists():
                raise RunError(
                    f"{self.folder} has no {name}, its training has not ended; go on with it with --resume first."
                ) from error
            raise RunError(
                f"{self.folder} is no run folder, it has no {name}; give one that `lesion train` wrote."
            ) from error
        except OSError as error:
            raise RunError(
                f"{self.folder} is no run folder, it has no readable {name}; give one that `lesion train` wrote."
            ) from error
        except ValueError as error:
            raise RunError(f"{path} is damaged ({error}); train the run anew.") from error
        if not isinstance(content, dict):
            raise RunError(f"{path} is damaged (it holds no table); train the run anew.")
        return content


def keep_earlier_splits(run: Run, starts: Sequence[Run]) -> None:
    """Keep in a run's folder which images taught the runs that it starts from, as far as they know."""
    known = [start.all_splits for start in starts if start.splits_path.exists()]
    if known:
        write_splits(joined_splits(*known), run.earlier_splits_path)


def open_run(folder: str | Path, stage: str | None = None) -> Run:
    """Open a run that has a model, of either stage or of "segmentation" or "classification"; else raise RunError."""
    run = Run(Path(folder))
    if not run.folder.is_dir():
        raise RunError(f"{run.folder}: is not a folder; check the path.")
    if stage is not None and run.config.get("stage") != stage:
        raise RunError(f"{run.folder} is a {run.config.get('stage')} run; give the folder of a {stage} run.")
    if not run.model_path.exists():
        raise RunError(f"{run.folder} has no model yet; go on with its training with --resume first.")
    return run


def start_run(
    folder: str | Path,
    stage: str,
    settings: dict[str, Any],
    catalog: pd.DataFrame,
    splits: pd.DataFrame,
    *,
    resume: bool = False,
) -> Run:
    """Make a run folder, or with `resume` go on with the one that is there if its settings and images are the same.

    A start that ended before its first epoch did is no run: another takes its place. With `resume` it keeps what that
    start had prepared, which may have taken as long as the training: the places of lesions and the teachers' answers.

    Parameters
    ----------
    folder : path
    stage : "segmentation" or "classification"
    settings : dict
        All settings of the training, as JSON can hold them.
    catalog : DataFrame
        The images of the run.
    splits : DataFrame
        With `image_id` and `split`; rows of other images are left out.
    resume : bool

    Raises
    ------
    RunError
        If the folder holds a run and `resume` is off, or if that run is of another kind.
    """
    run = Run(Path(folder))
    settings = json.loads(json.dumps(settings))
    splits = splits[splits["image_id"].isin(catalog["image_id"])]
    if run.holds_training:
        if not resume:
            raise RunError(
                f"{run.folder} already holds a run; add --resume to go on with it, or give another --output."
            )
        if difference := _difference(run, stage, settings, fingerprint(catalog), splits):
            raise RunError(difference)
        return run
    _check_own(run)
    if resume and _prepared(run) and not _difference(run, stage, settings, fingerprint(catalog), splits):
        _remove(run.checkpoint_folder, run.log_folder)
        return run
    if (run.folder / "config.json").exists():
        found = [*run.folder.glob("lesions-*.csv"), run.folder / "answers.npy", run.earlier_splits_path]
        _remove(run.checkpoint_folder, run.log_folder, run.cache_folder, *found)
    config = {
        "stage": stage,
        "settings": settings,
        "dataset": describe_dataset(catalog),
        "packages": package_versions(PACKAGES),
        "command": " ".join(["lesion", *sys.argv[1:]]),
    }
    write_text(run.folder / "config.json", json.dumps(config, indent=2) + "\n")
    write_splits(splits, run.splits_path)
    return run


def _check_own(run: Run) -> None:
    """Raise RunError where files of the folder are no run's and would be overwritten."""
    if not (run.folder / "config.json").exists():
        if foreign := [name for name in FILES if (run.folder / name).exists()]:
            raise RunError(
                f"{run.folder} holds {foreign[0]} and no run, and it would be overwritten; give another --output."
            )
    elif not {"stage", "settings", "dataset"} <= set(run.config):
        raise RunError(
            f"{run.folder / 'config.json'} is no run's and would be overwritten; give another --output."
        )


def _prepared(run: Run) -> bool:
    """Whether a start that failed came as far as to know its images."""
    return (run.folder / "config.json").exists() and run.splits_path.exists()


def _remove(*paths: Path) -> None:
    """Remove what a start that failed left, which may be of other images or settings."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def describe_dataset(catalog: pd.DataFrame) -> dict[str, Any]:
    """Counts of images, lesions and masks, of images by class, sex, site, diagnosis method and age; the fingerprint."""
    return {
        "images": len(catalog),
        "lesions": int(catalog["lesion_id"].nunique()),
        "masks": int(catalog["mask_path"].notna().sum()),
        "classes": _counts(catalog["dx"]),
        **{column: _counts(catalog[column]) for column in ("sex", "localization", "dx_type")},
        "age_groups": _counts(pd.cut(catalog["age"], AGE_BOUNDS, right=False, labels=AGE_GROUPS)),
        "fingerprint": fingerprint(catalog),
    }


def _counts(values: pd.Series) -> dict[str, int]:
    """Images of each value in its order, and of "unknown" where there are any."""
    known = {str(value): int(count) for value, count in values.value_counts().sort_index().items() if count}
    unknown = int(values.isna().sum())
    return {**known, "unknown": known.get("unknown", 0) + unknown} if unknown else known


def fingerprint(catalog: pd.DataFrame) -> str:
    """Hash of the images' ids, lesions and labels: the same for the same dataset wherever it lies."""
    columns = catalog[["image_id", "lesion_id", "dx"]].astype(str).sort_values("image_id")
    return f"{pd.util.hash_pandas_object(columns, index=False).sum():016x}"


def _difference(
    run: Run, stage: str, settings: dict[str, Any], catalog_fingerprint: str, splits: pd.DataFrame
) -> str | None:
    """Why a run can't go on with what it is now asked for; None where it can."""
    if run.config["stage"] != stage:
        return f"{run.folder} is a {run.config['stage']} run; give another --output."
    known = FORMER_SETTINGS | run.settings
    changed = [name for name in settings if settings[name] != known.get(name)]
    if changed:
        before = ", ".join(f"{name}={known.get(name)!r}" for name in changed)
        return f"{run.folder} was started with {before}; resume it with the same settings."
    if run.config["dataset"]["fingerprint"] != catalog_fingerprint:
        return f"{run.folder} was started on other images; resume it with the same dataset."
    if dict(zip(splits["image_id"], splits["split"], strict=True)) != dict(
        zip(run.splits["image_id"], run.splits["split"], strict=True)
    ):
        return f"{run.folder} was started with another split; resume it with the same one, or without one."
    return None
