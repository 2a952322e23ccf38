"""Writing a bundle: its folder appears whole and checked, or not at all."""

import json
import os
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
from pipeline.bundle.manifest import MANIFEST_HASH, manifest_hash

STAGES = ("segmentation", "classification")
# What a bundle of a version that did not record its files may hold.
EARLIER_FILES = frozenset(
    {"segmentation.tflite", "classification.tflite", "splits.csv", "MODEL_CARD.md", "calibration.png"}
)


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
        The files of an earlier bundle there are replaced; what else somebody put into the folder stays.

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
        _keep_others(folder, temporary)
        write_text(temporary / MANIFEST_FILE, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        load_bundle(temporary)
    return load_bundle(folder)


def copy_bundle(bundle: Bundle, folder: str | Path) -> Bundle:
    """Put a bundle's files, as they are, into another folder in one step; its own folder stays as it is.

    Raises
    ------
    BundleError
        If the folder holds something else than a bundle.
    """
    folder = Path(folder)
    if folder.resolve() == bundle.folder.resolve():
        return bundle
    _refuse_to_replace(folder)
    with replacing_folder(folder) as temporary:
        for name in (MANIFEST_FILE, *files_of_bundle(bundle.folder)):
            shutil.copyfile(bundle.folder / name, temporary / name)
        _keep_others(folder, temporary)
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
    manifest |= {
        "files": sorted(file.name for file in folder.iterdir()),
        "format_version": FORMAT_VERSION,
        "value_range": [0, 255],
    }
    return {**manifest, MANIFEST_HASH: manifest_hash(manifest)}


def files_of_bundle(folder: Path) -> set[str]:
    """Names of the files in a bundle's folder that `save_bundle` wrote; the manifest itself is not among them."""
    try:
        recorded = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8")).get("files")
    except (ValueError, AttributeError):  # it is damaged
        recorded = None
    names = set(map(str, recorded)) if isinstance(recorded, list) else EARLIER_FILES
    return {name for name in names if (folder / name).is_file()}


def _keep_others(earlier: Path, later: Path) -> None:
    """Let the later folder have, too, what a user has put into the earlier one."""
    if not earlier.is_dir():
        return
    own = {MANIFEST_FILE, *files_of_bundle(earlier)}
    for path in earlier.iterdir():
        target = later / path.name
        if path.name in own or target.exists():
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, target, symlinks=True, copy_function=_link_or_copy)
        else:
            _link_or_copy(path, target)


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # not every file system has links
        shutil.copy2(source, target, follow_symlinks=False)


def _refuse_to_replace(folder: Path) -> None:
    if folder.is_file():
        raise BundleError(f"{folder}: is a file and not a folder; give another place for the bundle.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST_FILE).exists():
        raise BundleError(f"{folder}: holds other files and no bundle; give a new folder.")
