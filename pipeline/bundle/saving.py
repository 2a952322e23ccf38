"""Writing a bundle: its folder appears whole and checked, or not at all."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.files import replacing_folder, sha256, write_text
from pipeline.bundle.loading import (
    FORMAT_VERSION,
    MANIFEST_FILE,
    Bundle,
    BundleError,
    load_bundle,
    model_shapes,
)

STAGES = ("segmentation", "classification")


def save_bundle(fields: Mapping[str, Any], files: Mapping[str, str | Path], folder: str | Path) -> Bundle:
    """Write a bundle in one step: the folder appears whole and checked, or not at all.

    Parameters
    ----------
    fields : mapping
        The manifest of `bundle.json` that the caller knows: `name`, `classes`, `threshold`, `view`,
        `crop_margin`, `temperature`, `abstention_threshold`, `training`, `figures`, and `precision`, a mapping
        with a value for each stage. Hashes, input shapes, format version and, where it is missing, the date
        `created` are filled in.
    files : mapping
        Name in the bundle -> the file to copy. `segmentation.tflite` and `classification.tflite` must be
        there; `splits.csv` is recorded, and others, such as `MODEL_CARD.md`, are only carried along.
    folder : str or Path
        An earlier bundle there is replaced.

    Raises
    ------
    BundleError
        If the folder holds something else than a bundle, or the new bundle would not load.
    """
    folder = Path(folder)
    _refuse_to_replace(folder)
    with replacing_folder(folder) as temporary:
        for name, source in files.items():
            shutil.copyfile(source, temporary / name)
        manifest = _complete_manifest(fields, temporary)
        write_text(temporary / MANIFEST_FILE, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        load_bundle(temporary)
    return load_bundle(folder)


def _complete_manifest(fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    created = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {"created": created, **{key: value for key, value in fields.items() if key != "precision"}}
    for stage in STAGES:
        path = folder / f"{stage}.tflite"
        manifest[stage] = {
            "file": path.name,
            "sha256": sha256(path),
            "input_shape": model_shapes(path).input,
            "precision": fields["precision"][stage],
        }
    if (folder / "splits.csv").exists():
        manifest["splits"] = {"file": "splits.csv", "sha256": sha256(folder / "splits.csv")}
    return {**manifest, "format_version": FORMAT_VERSION, "value_range": [0, 255]}


def _refuse_to_replace(folder: Path) -> None:
    if folder.is_file():
        raise BundleError(f"{folder}: is a file and not a folder; give another place for the bundle.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST_FILE).exists():
        raise BundleError(
            f"{folder}: holds other files and no bundle, and would be replaced as a whole; give a new folder."
        )
