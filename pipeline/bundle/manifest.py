"""Values out of a JSON object, each checked as it is read, and the hash of them all."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from data.text import visible

Manifest = Mapping[str, Any]

MANIFEST_HASH = "sha256"
Kind = TypeVar("Kind", str, list[Any], dict[str, Any])

LONGEST_NAME = 255  # bytes of a file's name, on most file systems
_NAMES: dict[type, str] = {str: "text", list: "list", dict: "table"}


def manifest_hash(manifest: Manifest) -> str:
    """Hexadecimal SHA-256 of all values but the one at `MANIFEST_HASH`, whatever their order and layout."""
    values = {key: value for key, value in manifest.items() if key != MANIFEST_HASH}
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class ManifestError(ValueError):
    """A value that is missing, of another kind, or out of its range; the message says which one."""


def value_of(manifest: Manifest, key: str, kind: type[Kind]) -> Kind:
    """The value at `key`, which must be a `str`, `list` or `dict`."""
    if key not in manifest:
        raise ManifestError(f"{key} is missing")
    value = manifest[key]
    if not isinstance(value, kind):
        raise ManifestError(f"{key} must be a {_NAMES[kind]}")
    return value


def number(manifest: Manifest, key: str, low: float, high: float) -> float:
    """The number at `key`, which must lie in `low`..`high`."""
    value = manifest.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ManifestError(f"{key} must be a number from {low} to {high} and is {json.dumps(value)}")
    return float(value)


def choice(manifest: Manifest, key: str, choices: tuple[str, ...]) -> str:
    """The text at `key`, which must be one of `choices`."""
    value = value_of(manifest, key, str)
    if value not in choices:
        raise ManifestError(f'{key} must be one of {", ".join(choices)} and is "{visible(value)}"')
    return value


def class_names(manifest: Manifest, key: str) -> tuple[str, ...]:
    """The list at `key`, which must hold two or more different names."""
    names = value_of(manifest, key, list)
    are_names = all(isinstance(name, str) and name.strip() and visible(name) == name for name in names)
    if not are_names or len(names) < 2 or len(set(names)) < len(names):
        raise ManifestError(f"{key} must be two or more different names, each of one line")
    return tuple(names)


def image_shape(manifest: Manifest, key: str) -> tuple[int, ...]:
    """The list at `key`, which must hold height, width and three channels."""
    shape = value_of(manifest, key, list)
    if (
        len(shape) != 3
        or not all(isinstance(length, int) and length > 0 for length in shape)
        or shape[2] != 3
    ):
        raise ManifestError(f"{key} must be [height, width, 3] and is {json.dumps(shape)}")
    return tuple(shape)


def file_name(manifest: Manifest, key: str) -> str:
    """The name at `key`, which must stay inside its folder."""
    name = value_of(manifest, key, str)
    if name in {"", ".", ".."} or Path(name).name != name or "\\" in name or visible(name) != name:
        raise ManifestError(f'{key} must name a file inside the folder and is "{visible(name)}"')
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise ManifestError(f'{key} must name a file, and "{name[:40]}..." is too long for one')
    return name
