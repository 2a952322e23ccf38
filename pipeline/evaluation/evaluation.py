"""A labelled dataset -> figures."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from classification.abstention import AbstentionScores
from classification.metrics import ClassificationScores
from data.datasets.catalog import DatasetError
from data.images import ImageError, read_image, read_mask
from pipeline.evaluation.scoring import (
    LabelledPredictions,
    label_predictions,
    score_abstention,
    score_classification,
    score_segmentation,
)
from pipeline.evaluation.subgroups import GroupScores, groups_text, score_groups
from pipeline.prediction.predictor import LesionPipeline, Prediction
from segmentation.metrics import SegmentationScores, dice, jaccard

EXAMPLES_OF_A_KIND = 2
NAMED_FAILURES = 5
FACTS_IN_TEXT = ("Bundle", "Datasets", "Selection")
REPORTED_PACKAGES = ("lesion", "ai-edge-litert", "numpy", "opencv-python-headless", "scikit-learn")


class Failure(NamedTuple):
    """An image, or its mask, that could not be scored."""

    image_id: str
    reason: str


@dataclass(frozen=True, eq=False)
class MaskExample:
    """One of the best, median or worst masks: uint8 image (H, W, 3), bool mask and reference (H, W)."""

    kind: str
    image_id: str
    jaccard: float
    image: np.ndarray
    mask: np.ndarray
    reference: np.ndarray


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a bundle is worth on a labelled dataset.

    Attributes
    ----------
    predictions : DataFrame
        One row an image that could be read: image_id, lesion_id, dx, diagnosis, the probability of each of the
        bundle's classes, jaccard, dice, view, notes. What an image has no reference for is missing.
    labelled : LabelledPredictions
        The part of it that has a diagnosis among the classes; these are groups where only groups can be compared.
    classification, segmentation : scores, None where the dataset has no reference for them
    abstention : scores of the diagnoses that no note casts doubt on, None as above
    groups : scores of the patients' groups, those of one kind after the other
    failures, mask_failures : images and reference masks that could not be used, with the reason
    examples : some of the best, median and worst masks
    facts : what a reader needs to judge and repeat the figures, name -> text
    """

    predictions: pd.DataFrame
    labelled: LabelledPredictions
    classification: ClassificationScores | None
    segmentation: SegmentationScores | None
    failures: tuple[Failure, ...] = ()
    mask_failures: tuple[Failure, ...] = ()
    examples: tuple[MaskExample, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    abstention: AbstentionScores | None = None
    groups: tuple[GroupScores, ...] = ()

    @property
    def marks(self) -> dict[str, int]:
        """How many images have which note."""
        notes = self.predictions.get("notes", pd.Series(dtype=str)).str.split("; ").explode()
        return {str(note): int(count) for note, count in notes.value_counts().items() if note}

    def notes(self) -> list[str]:
        """One sentence for each part of the dataset that was not scored, and for how it was scored instead."""
        return list(_notes(self))

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        return {
            "facts": dict(self.facts),
            "classification": self.classification.to_dict() if self.classification else None,
            "segmentation": self.segmentation.to_dict() if self.segmentation else None,
            "abstention": self.abstention.to_dict() if self.abstention else None,
            "marks": self.marks,
            "groups": [group.to_dict() for group in self.groups],
            "notes": self.notes(),
            "failures": [failure._asdict() for failure in self.failures],
            "mask_failures": [failure._asdict() for failure in self.mask_failures],
            "unknown_labels": dict(self.labelled.unknown),
        }

    def to_text(self) -> str:
        """Aligned tables for the terminal."""
        facts = [f"{name}: {self.facts[name]}" for name in FACTS_IN_TEXT if name in self.facts]
        parts = (self.classification, self.abstention, self.segmentation)
        scores = [part.to_text() for part in parts if part]
        groups = groups_text(self.groups)
        return "\n\n".join(filter(None, ["\n".join(facts), *scores, groups, "\n".join(self.notes())]))


def evaluate(
    pipeline: LesionPipeline,
    catalog: pd.DataFrame,
    *,
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[], object] | None = None,
    facts: Mapping[str, str] | None = None,
) -> Evaluation:
    """Predict every image of a catalog once and score the masks and diagnoses that have a reference.

    Parameters
    ----------
    pipeline : the bundle to score, opened
    catalog : DataFrame, see `data.datasets.catalog.CATALOG_COLUMNS`
    resamples, seed : of the bootstrap over lesions
    progress : called after each image
    facts : what the report says beside its own facts, such as dataset, split and command

    Raises
    ------
    DatasetError : the catalog has neither a diagnosis nor a mask.
    """
    if catalog["dx"].isna().all() and catalog["mask_path"].isna().all():
        raise DatasetError(
            "the dataset has neither diagnoses nor masks to score against; `predict` needs none."
        )
    rows, failures, mask_failures = [], [], []
    predictions = pipeline.predict_many(catalog["image_path"])
    for image, (_, prediction) in zip(catalog.to_dict("records"), predictions, strict=True):
        if isinstance(prediction, ImageError):
            failures.append(Failure(image["image_id"], str(prediction)))
        else:
            overlap, reason = _mask_overlap(image["mask_path"], prediction.mask)
            rows.append(_row(image, prediction) | overlap)
            mask_failures += [Failure(image["image_id"], reason)] if reason else []
        if progress:
            progress()
    table = pd.DataFrame(rows, columns=_columns(pipeline.bundle.classes))
    malignant = pipeline.bundle.malignant
    labelled = label_predictions(table, pipeline.bundle.classes, malignant)
    return Evaluation(
        predictions=table,
        labelled=labelled,
        classification=score_classification(labelled, resamples, seed),
        segmentation=score_segmentation(table, resamples, seed),
        failures=tuple(failures),
        mask_failures=tuple(mask_failures),
        examples=tuple(_mask_examples(pipeline, catalog, table)),
        facts=dict(facts or {}) | _facts(pipeline, catalog, resamples, seed),
        abstention=score_abstention(labelled, resamples, seed),
        groups=score_groups(table, catalog, pipeline.bundle.classes, resamples, seed, malignant),
    )


def _columns(classes: tuple[str, ...]) -> list[str]:
    return ["image_id", "lesion_id", "dx", "diagnosis", *classes, "jaccard", "dice", "view", "notes"]


def _row(image: Mapping[Hashable, Any], prediction: Prediction) -> dict[str, Any]:
    known = {column: image[column] for column in ("image_id", "lesion_id", "dx")}
    return known | {
        "diagnosis": prediction.diagnosis,
        **prediction.probabilities,
        "view": prediction.view,
        "notes": "; ".join(prediction.notes),
    }


def _mask_overlap(mask_path: str | None, mask: np.ndarray) -> tuple[dict[str, float], str]:
    """Jaccard and Dice against the reference at `mask_path`, or the reason why there is none."""
    if not isinstance(mask_path, str):
        return {}, ""
    try:
        reference = read_mask(mask_path)
    except ImageError as error:
        return {}, str(error)
    if reference.shape != mask.shape:
        sizes = [f"{width} x {height}" for height, width in (reference.shape, mask.shape)]
        return (
            {},
            f"{mask_path}: is {sizes[0]} pixels and its image {sizes[1]}; give a mask of the image's size.",
        )
    return {"jaccard": jaccard(mask, reference), "dice": dice(mask, reference)}, ""


def _mask_examples(
    pipeline: LesionPipeline, catalog: pd.DataFrame, predictions: pd.DataFrame
) -> Iterator[MaskExample]:
    """Predict once more the few images whose masks are the best, in the middle, and the worst."""
    ranked = predictions.dropna(subset="jaccard").sort_values("jaccard", ascending=False)
    kinds = _example_kinds(len(ranked))
    chosen = ranked[["image_id", "jaccard"]].iloc[list(kinds)].merge(catalog, on="image_id")
    again = pipeline.predict_many(chosen["image_path"])
    for kind, image, (_, prediction) in zip(kinds.values(), chosen.to_dict("records"), again, strict=True):
        if not isinstance(prediction, ImageError):
            yield MaskExample(
                kind=kind,
                image_id=image["image_id"],
                jaccard=image["jaccard"],
                image=read_image(image["image_path"]),
                mask=prediction.mask,
                reference=read_mask(image["mask_path"]),
            )


def _example_kinds(images: int) -> dict[int, str]:
    """Positions among `images` in falling order of Jaccard -> kind of example, each position once."""
    number = min(EXAMPLES_OF_A_KIND, images // 3)
    middle = (images - number) // 2
    return (
        dict.fromkeys(range(number), "best")
        | dict.fromkeys(range(middle, middle + number), "median")
        | dict.fromkeys(range(images - number, images), "worst")
    )


def _facts(pipeline: LesionPipeline, catalog: pd.DataFrame, resamples: int, seed: int) -> dict[str, str]:
    bundle = pipeline.bundle
    return {
        "Bundle": bundle.name,
        "Made": bundle.created,
        "Classifier": f"{bundle.classification.precision}, SHA-256 {bundle.classification.sha256}",
        "Segmentation": f"{bundle.segmentation.precision}, SHA-256 {bundle.segmentation.sha256}",
        "Diagnoses": "averaged over four flips of the view" if pipeline.tta else "of the view as it is",
        "Images": f"{len(catalog)} images of {catalog['lesion_id'].nunique()} lesions",
        "Intervals": f"95%, bootstrap over lesions, {resamples} resamples, seed {seed}",
        "Evaluated": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Versions": ", ".join([f"Python {python_version()}", *_package_versions()]),
    }


def _package_versions() -> Iterator[str]:
    for package in REPORTED_PACKAGES:
        with suppress(PackageNotFoundError):
            yield f"{package} {version(package)}"


def _notes(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.failures:
        yield f"Not readable, and left out: {_named(evaluation.failures)}."
    if evaluation.mask_failures:
        yield f"Reference mask not usable, and left out of segmentation: {_named(evaluation.mask_failures)}."
    without = evaluation.predictions[["dx", "jaccard"]].isna().sum()
    if evaluation.classification and without["dx"]:
        yield f"Images without a diagnosis, left out of classification: {without['dx']}."
    unmasked = without["jaccard"] - len(evaluation.mask_failures)
    if evaluation.segmentation and unmasked:
        yield f"Images without a reference mask, left out of segmentation: {unmasked}."
    if evaluation.labelled.unknown:
        counts = ", ".join(f"{label} ({count})" for label, count in evaluation.labelled.unknown.items())
        yield f"Diagnoses that the bundle does not tell, left out of classification: {counts}."
    if evaluation.labelled.grouped:
        classes = ", ".join(evaluation.labelled.classes)
        yield f"The dataset and the bundle name different classes; compared as groups: {classes}."
    if evaluation.classification and evaluation.classification.without_support:
        classes = ", ".join(evaluation.classification.without_support)
        yield f"Classes without an image, left out of the averages: {classes}."


def _named(failures: tuple[Failure, ...]) -> str:
    names = ", ".join(failure.image_id for failure in failures[:NAMED_FAILURES])
    further = len(failures) - NAMED_FAILURES
    return f"{names} and {further} more" if further > 0 else names
