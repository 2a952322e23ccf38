"""The static folder: the page's sources, filled with a bundle's models and constants."""

import base64
import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from data.datasets.diagnoses import diagnosis_name
from data.files import replacing_folder
from pipeline.bundle.loading import Bundle
from pipeline.web.constants import page_constants
from pipeline.web.icons import write_icons

HERE = Path(__file__).parent
EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
EXAMPLE_CLASSES = ("nv", "mel", "bcc")

CONSTANTS_FILE = "constants.json"
RELEASE_FILE = "release.js"
# What a host reads and a browser does not ask for.
UNCACHED = {"_headers", "service-worker.js", RELEASE_FILE}


class SiteError(Exception):
    """A folder that the page can't be written to; the message names it and the mend."""


def write_site(bundle: Bundle, folder: str | Path) -> list[Path]:
    """Write the page with a bundle's models to `folder`, in place of an earlier page there.

    Parameters
    ----------
    bundle : Bundle
    folder : str or Path
        A new or empty folder, or one that this function has written.

    Returns
    -------
    The files that were written.

    Raises
    ------
    SiteError
        If the folder holds something else.
    """
    folder = Path(folder)
    _check_folder(folder)
    with replacing_folder(folder) as temporary:
        shutil.copytree(HERE / "site", temporary, dirs_exist_ok=True)
        shutil.copytree(HERE / "runtime", temporary / "litert")
        _copy_bundle(bundle, temporary)
        write_icons(temporary / "icons")
        constants = page_constants(bundle, _copy_examples(temporary / "examples"))
        (temporary / CONSTANTS_FILE).write_text(_json(constants), encoding="utf-8")
        (temporary / RELEASE_FILE).write_text(_release(temporary), encoding="utf-8")
    return _files(folder)


def _check_folder(folder: Path) -> None:
    if folder.is_file():
        raise SiteError(f"{folder}: is a file; give a new or an empty folder.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RELEASE_FILE).is_file():
        raise SiteError(f"{folder}: holds other files; give a new or an empty folder.")


def _copy_bundle(bundle: Bundle, folder: Path) -> None:
    models = folder / "models"
    models.mkdir()
    for path in (bundle.segmentation_path, bundle.classification_path):
        shutil.copyfile(path, models / path.name)
    card = bundle.folder / "MODEL_CARD.md"
    text = card.read_bytes() if card.is_file() else b"This bundle has no model card.\n"
    (folder / "model-card.txt").write_bytes(text)


def _copy_examples(folder: Path) -> list[dict[str, str]]:
    """One drawn image of a few diagnoses, and what they were drawn as."""
    with (EXAMPLES / "HAM10000_metadata.csv").open(newline="", encoding="utf-8") as file:
        drawn: dict[str, str] = {}
        for row in csv.DictReader(file):
            drawn.setdefault(row["dx"], f"{row['image_id']}.jpg")
    folder.mkdir()
    for code in EXAMPLE_CLASSES:
        shutil.copyfile(EXAMPLES / "images" / drawn[code], folder / drawn[code])
    return [{"file": f"examples/{drawn[code]}", "name": diagnosis_name(code)} for code in EXAMPLE_CLASSES]


def _release(folder: Path) -> str:
    """The script that tells the service worker which files make up the page, and what each of them must hold."""
    files = {
        path.relative_to(folder).as_posix(): _integrity(path)
        for path in _files(folder)
        if path.name not in UNCACHED
    }
    version = hashlib.sha256(_json(files).encode()).hexdigest()[:12]
    return f"self.RELEASE = {_json({'version': version, 'files': files})};\n"


def _integrity(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
