"""Loading a bundle: `bundle.json` and the models' files, all checked."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from classification.appearance import APPEARANCE_NUMBERS
from classification.ood import ARRAYS, SMALLEST_DEVIATION, AppearanceDetector, OODDetector, Scale
from data.files import remove_leftovers, sha256
from pipeline.bundle.litert import ModelError, TensorShapes, tensor_shapes
from pipeline.bundle.manifest import (
    MANIFEST_HASH,
    Manifest,
    ManifestError,
    choice,
    class_names,
    file_name,
    image_shape,
    manifest_hash,
    number,
    value_of,
)

FORMAT_VERSION = 1
DEFAULT_BUNDLE = Path(__file__).parent / "default"
SHIPPED = "bundle"  # its name on the command line
VIEWS = ("crop", "full")
PRECISIONS = ("float32", "float16", "int8")

MANIFEST_FILE = "bundle.json"

Parsed = TypeVar("Parsed")


class BundleError(Exception):
    """A bundle that can't be used; the message names the file, what is wrong with it, and the mend."""


@dataclass(frozen=True)
class ModelFile:
    """One model of a bundle."""

    file: str
    sha256: str
    input_shape: tuple[int, ...]  # height, width, channels
    precision: str


@dataclass(frozen=True)
class SplitsFile:
    """The table (image_id, split) of the images that the models were trained, chosen and tested on."""

    file: str
    sha256: str


@dataclass(frozen=True)
class TTACalibration:
    """Temperature and abstention threshold, as `Bundle` has them, of logits averaged over flips."""

    temperature: float
    abstention_threshold: float


@dataclass(frozen=True)
class SecondLook(TTACalibration):
    """When the flips of a view are looked at, too, and the calibration of all answers, of one look and of several.

    Attributes
    ----------
    below_confidence : float in 0..1
        The first look's confidence, by the bundle's own temperature, under which the flips are looked at.
    """

    below_confidence: float


@dataclass(frozen=True)
class Bundle:
    """What a bundle's folder holds, as `bundle.json` states it and `load_bundle` has checked it.

    Attributes
    ----------
    threshold : float in 0..1
        Lesion probability from which a pixel belongs to the mask.
    view : "crop" or "full"
        What the classifier was trained to look at.
    crop_margin : float
        As `segmentation.cropping.lesion_box` takes it.
    temperature : float
        Logits are divided by it before the softmax, which calibrates the probabilities.
    abstention_threshold : float in 0..1
        Below this confidence a prediction is marked as uncertain.
    tta : TTACalibration, optional
        Takes the place of the two above where the classifier's answers are averaged over flips.
    second_look : SecondLook, optional
        Takes their place where answers are averaged over flips if the first look is unsure, which is what a bundle that
        has it does unless told otherwise.
    ood : OODDetector, optional
        Tells images that are unlike those of the training, from the classifier's answer alone.
    appearance : AppearanceDetector, optional
        Takes its place in a bundle that was calibrated on images.
    malignant : tuple of str
        Classes of the user's own that were declared malignant in training.
    """

    folder: Path
    name: str
    created: str
    segmentation: ModelFile
    classification: ModelFile
    classes: tuple[str, ...]
    threshold: float
    view: str
    crop_margin: float
    temperature: float
    abstention_threshold: float
    training: Mapping[str, Any]
    figures: Mapping[str, Any]
    splits: SplitsFile | None = None
    tta: TTACalibration | None = None
    second_look: SecondLook | None = None
    ood: OODDetector | None = None
    appearance: AppearanceDetector | None = None
    malignant: tuple[str, ...] = ()

    def averaged_over_flips(self, tta: bool | None) -> bool | None:
        """Whether answers are averaged over flips: always, never, or, None, where a first look is unsure.

        `tta` is what was asked for; None stands for what the bundle does of itself.
        """
        return False if tta is None and self.second_look is None else tta

    @property
    def segmentation_path(self) -> Path:
        return self.folder / self.segmentation.file

    @property
    def classification_path(self) -> Path:
        return self.folder / self.classification.file

    @property
    def splits_path(self) -> Path | None:
        return self.folder / self.splits.file if self.splits else None


def load_bundle(folder: str | Path | None = None) -> Bundle:
    """Read a bundle's manifest and check it against its files and models.

    A bundle that lost its name because its writer was killed while replacing it gets the name back.

    Parameters
    ----------
    folder : str or Path, optional
        By default the bundle that ships with the software.

    Raises
    ------
    BundleError
        If the folder is no bundle, its format is not known here, a file is missing or was changed, a fact is
        missing or out of its range, or a model has other tensors than the manifest says.
    """
    folder = DEFAULT_BUNDLE if folder is None else Path(folder)
    manifest = _read_manifest(folder)
    try:
        bundle = _parse(manifest, folder)
    except ManifestError as error:
        raise BundleError(f"{folder / MANIFEST_FILE}: {error}; export the bundle again.") from None
    _check_files(bundle)
    if manifest.get(MANIFEST_HASH, manifest_hash(manifest)) != manifest_hash(
        manifest
    ):  # older bundles have none
        raise BundleError(
            f"{folder / MANIFEST_FILE}: was changed after it was written, its SHA-256 differs; export or copy the "
            "bundle again."
        )
    if folder != DEFAULT_BUNDLE:
        _try_models(bundle)
    _check_models(bundle)
    return bundle


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_FILE
    if folder.is_file():
        raise BundleError(
            f"{folder}: is a file and not a bundle; give the folder that holds {MANIFEST_FILE}."
        )
    if not folder.exists():
        with suppress(OSError):  # one that was being replaced when its writer was killed gets its name back
            remove_leftovers(folder.resolve().parent)
    if not path.is_file():
        raise BundleError(_no_bundle(folder))
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{path}: can't be read ({error.strerror}); check its permissions.") from None
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: is not valid JSON ({error}); export or copy the bundle again.") from None
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if version != FORMAT_VERSION:
        raise BundleError(_unknown_version(path, version))
    return manifest


def _no_bundle(folder: Path) -> str:
    if folder == DEFAULT_BUNDLE:
        return f"{folder}: no bundle is installed; make one with `lesion export` and give it with --bundle."
    if not folder.is_dir():
        return f"{folder}: no such folder; give the folder that holds {MANIFEST_FILE}."
    if (folder / "model.keras").exists():
        return f"{folder}: is a training's run folder and no bundle; make one of it with `lesion export`."
    return f"{folder}: holds no {MANIFEST_FILE} and so is no bundle; `lesion export` makes one."


def _unknown_version(path: Path, version: object) -> str:
    if isinstance(version, int) and version > FORMAT_VERSION:
        return (
            f"{path}: has format {version} and this version reads {FORMAT_VERSION}; install a newer `lesion`."
        )
    return f"{path}: states no known format_version; export the bundle again."


def _parse(manifest: Manifest, folder: Path) -> Bundle:
    if value_of(manifest, "value_range", list) != [0, 255]:
        raise ManifestError("value_range must be [0, 255]")
    return Bundle(
        folder=folder,
        name=value_of(manifest, "name", str),
        created=value_of(manifest, "created", str),
        segmentation=_model_file(value_of(manifest, "segmentation", dict)),
        classification=_model_file(value_of(manifest, "classification", dict)),
        classes=class_names(manifest, "classes"),
        threshold=number(manifest, "threshold", 0, 1),
        view=choice(manifest, "view", VIEWS),
        crop_margin=number(manifest, "crop_margin", 0, 10),
        **_calibration(manifest),
        training=value_of(manifest, "training", dict),
        figures=value_of(manifest, "figures", dict),
        splits=_optional(manifest, "splits", _splits_file),
        tta=_optional(manifest, "flips", lambda tta: TTACalibration(**_calibration(tta))),
        second_look=_optional(manifest, "second_look", _second_look),
        ood=_optional(manifest, "familiarity", _ood_detector),
        appearance=_optional(manifest, "appearance", _appearance_detector),
        malignant=_malignant(manifest),
    )


def _optional(manifest: Manifest, key: str, parse: Callable[[Manifest], Parsed]) -> Parsed | None:
    """What `parse` makes of the table at `key`; None where an older bundle has none."""
    return None if manifest.get(key) is None else parse(value_of(manifest, key, dict))


def _malignant(manifest: Manifest) -> tuple[str, ...]:
    names = value_of(manifest, "malignant", list) if manifest.get("malignant") is not None else []
    if strange := [name for name in names if name not in class_names(manifest, "classes")]:
        raise ManifestError(f"malignant names {', '.join(map(str, strange))}, which is none of the classes")
    return tuple(names)


def _calibration(manifest: Manifest) -> dict[str, float]:
    return {
        "temperature": number(manifest, "temperature", 0.01, 100),
        "abstention_threshold": number(manifest, "abstention_threshold", 0, 1),
    }


def _second_look(manifest: Manifest) -> SecondLook:
    return SecondLook(**_calibration(manifest), below_confidence=number(manifest, "below_confidence", 0, 1))


def _ood_detector(manifest: Manifest) -> OODDetector:
    return OODDetector(
        energy=_scale(value_of(manifest, "energy", dict)),
        unevenness=_scale(value_of(manifest, "unevenness", dict)),
        threshold=number(manifest, "threshold", -1e6, 1e6),
    )


def _appearance_detector(manifest: Manifest) -> AppearanceDetector:
    try:
        arrays = {name: np.array(manifest.get(name), float) for name in ARRAYS}
    except (TypeError, ValueError, OverflowError):
        raise ManifestError("appearance must hold lists of numbers") from None
    components, numbers, rules = (arrays[name].size for name in ("weights", "mean", "biases"))
    if not rules and not arrays["rules"].size:
        arrays["rules"] = arrays["rules"].reshape(
            0, 2 * numbers
        )  # an empty list does not tell how long its rows are
    shapes = {
        "mean": (APPEARANCE_NUMBERS,),
        "deviation": (numbers,),
        "weights": (components,),
        "centres": (components, numbers),
        "factors": (components, numbers, numbers),
        "rules": (rules, 2 * numbers),
        "biases": (rules,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ManifestError(f"appearance: {name} must be finite numbers of the shape {shape}")
    diagonals = np.diagonal(arrays["factors"], axis1=1, axis2=2)
    if not components or min(arrays["deviation"].min(), arrays["weights"].min(), diagonals.min()) <= 0:
        raise ManifestError("appearance: deviation, weights and the factors' diagonals must be over 0")
    return AppearanceDetector(
        **arrays,
        threshold=number(manifest, "threshold", -1e6, 1e6),
    )


def _scale(manifest: Manifest) -> Scale:
    return Scale(
        mean=number(manifest, "mean", -1e6, 1e6),
        deviation=number(manifest, "deviation", SMALLEST_DEVIATION, 1e6),
    )


def _model_file(model: Manifest) -> ModelFile:
    return ModelFile(
        file=file_name(model, "file"),
        sha256=value_of(model, "sha256", str),
        input_shape=image_shape(model, "input_shape"),
        precision=choice(model, "precision", PRECISIONS),
    )


def _splits_file(splits: Manifest) -> SplitsFile:
    return SplitsFile(file_name(splits, "file"), value_of(splits, "sha256", str))


def _check_files(bundle: Bundle) -> None:
    entries = (bundle.segmentation, bundle.classification, bundle.splits)
    for entry in (entry for entry in entries if entry is not None):
        path = bundle.folder / entry.file
        if not path.is_file():
            raise BundleError(f"{path}: is missing; copy the bundle again, with all its files.")
        if sha256(path) != entry.sha256:
            raise BundleError(
                f"{path}: is damaged or was exchanged, its SHA-256 differs; copy the bundle again."
            )


def _try_models(bundle: Bundle) -> None:
    """Run models that came from elsewhere apart from this process first, which a crafted file could break."""
    from pipeline.bundle.trial import try_model  # noqa: PLC0415 - the bundle that ships is not tried

    for path, model in (
        (bundle.segmentation_path, bundle.segmentation),
        (bundle.classification_path, bundle.classification),
    ):
        try:
            try_model(path, model.sha256)
        except ModelError as error:
            raise BundleError(f"{error}; export the bundle again.") from error


def _check_models(bundle: Bundle) -> None:
    classes = len(bundle.classes)
    _check_model(
        bundle.segmentation_path, bundle.segmentation, [(3, 1)], "one map of the lesion's probability"
    )
    _check_model(
        bundle.classification_path,
        bundle.classification,
        [(1, classes), (3, classes)],
        f"logits and an activation map of the {classes} classes",
    )


def _check_model(path: Path, model: ModelFile, outputs: list[tuple[int, int]], meaning: str) -> None:
    """Compare a model's tensors with the manifest; `outputs` holds the number of axes and the last axis's length."""
    shapes = model_shapes(path)
    if shapes.input != model.input_shape:
        stated = " x ".join(map(str, model.input_shape))
        found = " x ".join(map(str, shapes.input))
        raise BundleError(f"{path}: takes {found} and bundle.json says {stated}; export the bundle again.")
    if [(len(shape), *shape[-1:]) for shape in shapes.outputs] != outputs:
        raise BundleError(f"{path}: must return {meaning}; export the bundle again.")


def model_shapes(path: Path) -> TensorShapes:
    """Shapes of a model's tensors; raises `BundleError` where there are none to read."""
    try:
        return tensor_shapes(path)
    except ModelError as error:
        raise BundleError(f"{error}; export the bundle again.") from error
