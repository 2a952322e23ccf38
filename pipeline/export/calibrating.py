"""What a bundle's thresholds and temperatures should be, measured on images through the bundle itself.

An export sets them from the Keras models on the validation images of one training. Here the converted models answer, on
the validation images of as many datasets as are given, so that what ships fits what runs, on more than one source.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from classification.appearance import appearance
from classification.calibration import expected_calibration_error, fit_temperature
from classification.ood import AppearanceDetector
from classification.probabilities import softmax
from classification.test_time_augmentation import AGAIN, after_second_look, confidence_of_part, is_unsure
from data.datasets.catalog import DatasetError, load_dataset
from data.drawing.strangers import strange_pictures
from data.progress import tracked
from pipeline.bundle.loading import MANIFEST_FILE, Bundle
from pipeline.bundle.saving import STAGES, files_of_bundle, save_bundle
from pipeline.evaluation.selection import select_split
from pipeline.export import odds
from pipeline.export.bare_skin import skin_corners
from pipeline.export.mask_threshold import best_threshold, mask_thresholds
from pipeline.export.model_card import TESTS, without_machine_paths, write_card
from pipeline.export.other_pictures import with_parts
from pipeline.prediction.predictor import LesionPipeline

ABSTAINING_PART = 0.1
MOST_SKIN, MOST_STRANGE = 400, 1000
FEWEST_FOR_RULES = 100  # validation images, for a rule's limit is a quantile of them


@dataclass(frozen=True, eq=False)
class Source:
    """The images of one dataset that a calibration looks at.

    Attributes
    ----------
    name : str
    validation : DataFrame
        Images that the bundle was chosen on and not trained on.
    training : DataFrame
        Some that it was trained on.
    """

    name: str
    validation: pd.DataFrame
    training: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Answers:
    """What the bundle says of N images: appearances (N, D), logits (N, C), those averaged over flips, and labels.

    A label is the place of the image's diagnosis among the bundle's classes, or -1.
    """

    appearances: np.ndarray
    logits: np.ndarray
    averaged: np.ndarray
    labels: np.ndarray


def sources_of(datasets: Sequence[str | Path], bundle: Bundle, most: int, seed: int = 0) -> list[Source]:
    """The validation images of each dataset, and at most `most` of its training images, drawn by `seed`.

    Raises
    ------
    DatasetError
        If no dataset has an image of the bundle's validation split, or one has none of its training split.
    """
    sources = []
    for dataset in datasets:
        catalog = load_dataset(dataset)  # nosec B615 - ours
        training = select_split(catalog, bundle, "train").catalog
        try:
            validation = select_split(catalog, bundle, "validation").catalog
        except DatasetError:  # a source of training images alone
            validation = catalog.head(0)
        drawn = training.sample(min(most, len(training)), random_state=seed)
        sources.append(Source(Path(dataset).resolve().name, validation, drawn))
    if not sum(len(source.validation) for source in sources):
        raise DatasetError(
            "none of the datasets has images of the bundle's validation split to calibrate on."
        )
    return sources


def calibrate(
    bundle: Bundle,
    sources: Sequence[Source],
    *,
    unlike: Sequence[Path] = (),
    again: float = AGAIN,
    seed: int = 0,
    name: str | None = None,
    command: str | None = None,
) -> Bundle:
    """Set the bundle's thresholds, temperatures and what it knows of usual images; write it anew.

    The mask's threshold comes first, from the sources that have masks, for the crops depend on it. Figures on test
    images that were recorded before are left out: the bundle answers otherwise now.

    Parameters
    ----------
    bundle : Bundle
        The files of its folder are replaced.
    sources : sequence of Source
    unlike : sequence of paths
        Pictures of anything but dermoscopy, from which a rule of their own learns what is unlike the training images.
    again : float in 0..1
        The part of the validation images that get a second look, because the first is unsure; with 0 there is none.
    seed : of the mixture of appearances, and of the pictures' parts
    name : of the bundle from now on, for it answers otherwise; by default it keeps its name
    command : what the user wrote, to be told on the model card

    Raises
    ------
    ImageError, BundleError
    """
    thresholds = mask_thresholds(bundle, [source.validation for source in sources])
    if thresholds:
        bundle = replace(bundle, threshold=best_threshold(thresholds))
    pipeline = LesionPipeline.load(bundle, tta=True)
    seen = _joined([answers_to(pipeline, source.training) for source in sources])
    unseen = [answers_to(pipeline, source.validation) for source in sources]
    known = _joined(unseen)
    others = _others(pipeline, sources, unlike, seed) if len(known.labels) >= FEWEST_FOR_RULES else ()
    detector = AppearanceDetector.fit(seen.appearances, known.appearances, others, seed=seed)
    manifest = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest |= {"threshold": bundle.threshold, **_calibration(known.logits, known.labels)}
    manifest["name"] = name or bundle.name
    del manifest["created"]  # it is made anew
    manifest["flips"] = _calibration(known.averaged, known.labels)
    manifest.pop("second_look", None)
    if again:
        manifest["second_look"] = _second_look(known, manifest["temperature"], again)
    manifest["appearance"] = detector.to_dict()
    if command:
        manifest["training"]["calibrate_command"] = without_machine_paths(command)
    manifest["figures"] = {
        **{key: value for key, value in manifest["figures"].items() if key not in TESTS.values()},
        "calibration": [
            _figures(source, answers, detector, manifest)
            for source, answers in zip(sources, unseen, strict=True)
        ],
        "mask_thresholds": thresholds,
        "pictures_unlike": len(unlike),
        "odds": odds.worths(
            _decided(known, manifest)[0][known.labels >= 0], known.labels[known.labels >= 0], bundle
        ),
    }
    return _written(bundle, manifest)


def answers_to(pipeline: LesionPipeline, catalog: pd.DataFrame) -> Answers:
    """What a pipeline that averages over flips says of the images of a catalog, before any calibration."""
    classes = list(pipeline.bundle.classes)
    appearances, logits, averaged = [], [], []
    for path in tracked(list(catalog["image_path"]), "looking at images"):
        seen, averaged_logits = pipeline.examine(path)
        appearances.append(appearance(seen, pipeline.bundle.threshold))
        logits.append(seen.logits)
        averaged.append(averaged_logits)
    labels = [classes.index(dx) if dx in classes else -1 for dx in catalog["dx"]]
    return Answers(np.array(appearances), np.array(logits), np.array(averaged), np.array(labels, int))


def _others(
    pipeline: LesionPipeline, sources: Sequence[Source], unlike: Sequence[Path], seed: int
) -> list[np.ndarray]:
    """Appearances of bare skin, of as many drawn pictures as there are images of the training, and of given ones."""
    count = min(MOST_STRANGE, sum(len(source.training) for source in sources))
    kinds = (
        _skin(pipeline, sources),
        strange_pictures(count, seed),
        with_parts(tracked(list(unlike), "looking at other pictures"), seed),
    )
    return [_appearances(pipeline, images) for images in kinds]


def _skin(pipeline: LesionPipeline, sources: Sequence[Source]) -> Iterator[np.ndarray]:
    """Pictures of skin without a lesion, out of the training images."""
    paths = [path for source in sources for path in source.training["image_path"]]
    return skin_corners(pipeline, paths, MOST_SKIN)


def _appearances(pipeline: LesionPipeline, images: Iterable[np.ndarray]) -> np.ndarray:
    return np.array([appearance(pipeline.examine(image)[0], pipeline.bundle.threshold) for image in images])


def _joined(answers: Sequence[Answers]) -> Answers:
    some = [part for part in answers if len(part.labels)]
    return Answers(
        *(
            np.concatenate([getattr(part, name) for part in some])
            for name in ("appearances", "logits", "averaged", "labels")
        )
    )


def _calibration(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Temperature and abstention threshold from the images whose label is known."""
    known = labels >= 0
    temperature = fit_temperature(logits[known], labels[known])
    confidences = softmax(logits / temperature).max(axis=1)
    return {
        "temperature": temperature,
        "abstention_threshold": float(np.quantile(confidences, ABSTAINING_PART)),
    }


def _second_look(known: Answers, temperature: float, part: float) -> dict[str, float]:
    """The confidence under which `part` of the images lie, and the calibration of what is then said of all."""
    below = confidence_of_part(known.logits, temperature, part)
    decided = after_second_look(known.logits, known.averaged, temperature, below)
    return {"below_confidence": below, **_calibration(decided, known.labels)}


def _decided(answers: Answers, manifest: dict[str, Any]) -> tuple[np.ndarray, float]:
    """Logits (N, C) that the bundle decides by if nobody says otherwise, and their temperature."""
    if again := manifest.get("second_look"):
        below = again["below_confidence"]
        decided = after_second_look(answers.logits, answers.averaged, manifest["temperature"], below)
        return decided, again["temperature"]
    return answers.logits, manifest["temperature"]


def _figures(
    source: Source, answers: Answers, detector: AppearanceDetector, manifest: dict[str, Any]
) -> dict[str, Any]:
    known = answers.labels >= 0
    figures: dict[str, Any] = {
        "source": source.name,
        "training_images": len(source.training),
        "validation_images": len(source.validation),
    }
    if known.any():
        logits, temperature = _decided(answers, manifest)
        probabilities = softmax(logits[known] / temperature)
        figures["calibration_error"] = expected_calibration_error(probabilities, answers.labels[known])
    if len(answers.labels):
        scores = np.array([detector.score(numbers) for numbers in answers.appearances])
        figures["unlike_training"] = float(np.mean(scores < detector.threshold))
        if again := manifest.get("second_look"):
            unsure = is_unsure(answers.logits, manifest["temperature"], again["below_confidence"])
            figures["second_looks"] = float(unsure.mean())
    return figures


def _written(bundle: Bundle, manifest: dict[str, Any]) -> Bundle:
    manifest["precision"] = {stage: manifest[stage]["precision"] for stage in STAGES}
    with tempfile.TemporaryDirectory() as temporary:
        card = write_card(manifest, Path(temporary))
        files = {name: bundle.folder / name for name in files_of_bundle(bundle.folder)}
        return save_bundle(manifest, {**files, **card}, bundle.folder)
