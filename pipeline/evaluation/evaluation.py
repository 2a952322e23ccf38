"""A labelled dataset -> figures."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from classification.abstention import AbstentionScores
from classification.metrics import ClassificationScores
from classification.operating_points import SPECIFICITIES, OperatingPoint, points_text
from data.datasets.catalog import DatasetError
from data.images import ImageError, read_image, read_mask
from data.packages import package_versions
from data.progress import Progress, unwatched
from pipeline.evaluation.facts import EvaluationFacts
from pipeline.evaluation.left_out import Failure, LeftOut
from pipeline.evaluation.scoring import (
    LabelledPredictions,
    label_predictions,
    score_abstention,
    score_classification,
    score_operating_points,
    score_segmentation,
)
from pipeline.evaluation.selection import Selection
from pipeline.evaluation.subgroups import GroupScores, groups_text, score_groups
from pipeline.evaluation.worst_errors import WorstError, rank_errors, worst_errors
from pipeline.prediction.predictor import LesionPipeline, Prediction
from segmentation.metrics import SegmentationScores, dice, jaccard

EXAMPLES_OF_A_KIND = 2
FACTS_IN_TEXT = ("Bundle", "Datasets", "Selection")
REPORTED_PACKAGES = ("lesion", "ai-edge-litert", "numpy", "opencv-python-headless", "scikit-learn")


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
        bundle's classes, jaccard, dice, view, notes (a tuple). What an image has no reference for is missing.
    labelled : LabelledPredictions
        The part of it that has a diagnosis among the classes; these are groups where only groups can be compared.
    facts : how the figures came about
    classification, segmentation : scores, None where the dataset has no reference for them
    abstention : scores of the diagnoses that no note casts doubt on, None as above
    groups : scores of the patients' groups, those of one kind after the other
    failures, mask_failures : images and reference masks that could not be used, with the reason
    examples : some of the best, median and worst masks
    operating_points : sensitivities at chosen specificities
    worst_errors : the wrong diagnoses of which the bundle was surest
    """

    predictions: pd.DataFrame
    labelled: LabelledPredictions
    facts: EvaluationFacts
    classification: ClassificationScores | None
    segmentation: SegmentationScores | None
    failures: tuple[Failure, ...] = ()
    mask_failures: tuple[Failure, ...] = ()
    examples: tuple[MaskExample, ...] = ()
    abstention: AbstentionScores | None = None
    groups: tuple[GroupScores, ...] = ()
    operating_points: tuple[OperatingPoint, ...] = ()
    worst_errors: tuple[WorstError, ...] = ()

    @property
    def marks(self) -> dict[str, int]:
        """How many images have which note."""
        return dict(Counter(chain.from_iterable(self.predictions["notes"])).most_common())

    @property
    def left_out(self) -> LeftOut:
        """The parts of the dataset that were not scored."""
        without = self.predictions[["dx", "jaccard"]].isna().sum()
        return LeftOut(
            failures=self.failures,
            mask_failures=self.mask_failures,
            without_diagnosis=int(without["dx"]) if self.classification else 0,
            without_mask=int(without["jaccard"]) - len(self.mask_failures) if self.segmentation else 0,
            unknown_labels=self.labelled.unknown,
            groups=self.labelled.classes if self.labelled.grouped else (),
            without_support=self.classification.without_support if self.classification else (),
        )

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        return {
            "facts": self.facts.to_dict(),
            "classification": self.classification.to_dict() if self.classification else None,
            "segmentation": self.segmentation.to_dict() if self.segmentation else None,
            "abstention": self.abstention.to_dict() if self.abstention else None,
            "marks": self.marks,
            "groups": [group.to_dict() for group in self.groups],
            "operating_points": [point.to_dict() for point in self.operating_points],
            **self.left_out.to_dict(),
        }

    def to_text(self) -> str:
        """Aligned tables for the terminal."""
        shown = self.facts.shown()
        facts = [f"{name}: {shown[name]}" for name in FACTS_IN_TEXT if name in shown]
        parts = (self.classification, self.abstention, self.segmentation)
        scores = [part.to_text() for part in parts if part]
        scores.insert(1 if self.classification else 0, points_text(self.operating_points))
        groups = groups_text(self.groups)
        return "\n\n".join(
            filter(None, ["\n".join(facts), *scores, groups, "\n".join(self.left_out.sentences())])
        )


def evaluate(
    pipeline: LesionPipeline,
    catalog: pd.DataFrame,
    *,
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress = unwatched,
    datasets: Sequence[str] = (),
    selection: Selection | None = None,
    command: Sequence[str] = (),
    specificities: Sequence[float] = SPECIFICITIES,
) -> Evaluation:
    """Predict every image of a catalog once and score the masks and diagnoses that have a reference.

    Parameters
    ----------
    pipeline : the bundle to score, opened
    catalog : DataFrame, see `data.datasets.catalog.CATALOG_COLUMNS`
    resamples, seed : of the bootstrap over lesions
    progress : called after every image with the number of images predicted and of all images
    datasets, selection, command : what the report tells of where the catalog comes from
    specificities : for which sensitivities are given

    Raises
    ------
    DatasetError : the catalog has neither a diagnosis nor a mask.
    """
    if catalog["dx"].isna().all() and catalog["mask_path"].isna().all():
        raise DatasetError(
            "the dataset has neither diagnoses nor masks to score against; `predict` needs none."
        )
    table, failures, mask_failures = _predicted(pipeline, catalog, progress)
    malignant = pipeline.bundle.malignant
    labelled = label_predictions(table, pipeline.bundle.classes, malignant)
    errors = rank_errors(table, pipeline.bundle.classes, malignant, labelled.grouped)
    return Evaluation(
        predictions=table,
        labelled=labelled,
        facts=_facts(pipeline, catalog, resamples, seed, (tuple(datasets), selection, tuple(command))),
        classification=score_classification(labelled, resamples, seed),
        segmentation=score_segmentation(table, resamples, seed),
        failures=failures,
        mask_failures=mask_failures,
        examples=tuple(_mask_examples(pipeline, catalog, table)),
        abstention=score_abstention(labelled, resamples, seed),
        operating_points=score_operating_points(labelled, specificities, resamples, seed),
        worst_errors=tuple(worst_errors(pipeline, catalog, errors)),
        groups=score_groups(table, catalog, pipeline.bundle.classes, resamples, seed, malignant),
    )


def _predicted(
    pipeline: LesionPipeline, catalog: pd.DataFrame, progress: Progress
) -> tuple[pd.DataFrame, tuple[Failure, ...], tuple[Failure, ...]]:
    """The table of predictions, and what failed: images, and masks."""
    rows, failures, mask_failures = [], [], []
    predictions = pipeline.predict_many(catalog["image_path"])
    outcomes = zip(catalog.to_dict("records"), predictions, strict=True)
    for done, (image, (_, prediction)) in enumerate(outcomes, start=1):
        if isinstance(prediction, ImageError):
            failures.append(Failure(image["image_id"], str(prediction)))
        else:
            overlap, reason = _mask_overlap(image["mask_path"], prediction.mask)
            rows.append(_row(image, prediction) | overlap)
            mask_failures += [Failure(image["image_id"], reason)] if reason else []
        progress(done, len(catalog))
    table = pd.DataFrame(rows, columns=_columns(pipeline.bundle.classes))
    return table, tuple(failures), tuple(mask_failures)


def _facts(
    pipeline: LesionPipeline,
    catalog: pd.DataFrame,
    resamples: int,
    seed: int,
    origin: tuple[tuple[str, ...], Selection | None, tuple[str, ...]],
) -> EvaluationFacts:
    datasets, selection, command = origin
    return EvaluationFacts(
        bundle=pipeline.bundle,
        tta=pipeline.tta,
        images=len(catalog),
        lesions=int(catalog["lesion_id"].nunique()),
        resamples=resamples,
        seed=seed,
        evaluated=datetime.now(UTC),
        versions=package_versions(REPORTED_PACKAGES),
        datasets=datasets,
        selection=selection,
        command=command,
    )


def _columns(classes: tuple[str, ...]) -> list[str]:
    return ["image_id", "lesion_id", "dx", "diagnosis", *classes, "jaccard", "dice", "view", "notes"]


def _row(image: Mapping[Hashable, Any], prediction: Prediction) -> dict[str, Any]:
    known = {column: image[column] for column in ("image_id", "lesion_id", "dx")}
    return known | {
        "diagnosis": prediction.diagnosis,
        **prediction.probabilities,
        "view": prediction.view,
        "notes": prediction.notes,
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
