"""A labelled dataset becomes figures; what can't be scored is named, and never stops the rest."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.datasets.catalog import CATALOG_COLUMNS, DatasetError
from data.images import ImageError, read_image
from pipeline.evaluation.evaluation import evaluate
from pipeline.prediction.predictor import Prediction

SIDE = 40
CLASSES = ("bcc", "mel", "nv")


def square(side: int) -> np.ndarray:
    """A mask with a square of this side in its corner."""
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:side, :side] = True
    return mask


class SquarePipeline:
    """Finds a square of side 10 in every image, and tells the class by the red value of the first pixel.

    What it takes for a melanoma, it is not sure of.
    """

    tta = False
    bundle = SimpleNamespace(
        name="squares",
        created="2026-01-01",
        classes=CLASSES,
        malignant=(),
        classification=SimpleNamespace(precision="float32", sha256="0" * 64),
        segmentation=SimpleNamespace(precision="float32", sha256="1" * 64),
    )

    def predict_many(self, sources: Iterable[str]) -> Iterator[tuple[str, Prediction | ImageError]]:
        for source in sources:
            try:
                seen = read_image(source)[0, 0, 0]
            except ImageError as error:
                yield source, error
                continue
            probabilities = dict.fromkeys(CLASSES, 0.1) | {CLASSES[seen]: 0.8}
            empty_map = np.zeros((1, 1, len(CLASSES)), np.float32)
            notes = ("no lesion found", "low confidence") if CLASSES[seen] == "mel" else ()
            yield (
                source,
                Prediction(CLASSES[seen], probabilities, 0.0, square(10), None, "full", empty_map, notes),
            )


class Dataset:
    """A catalog that grows image by image, its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, object]] = []

    def add(
        self,
        image_id: str,
        dx: str | None,
        seen: str,
        mask: np.ndarray | None = None,
        lesion: str | None = None,
    ) -> Path:
        """Add an image with diagnosis `dx` that the pipeline takes for the class `seen`."""
        image_path, mask_path = self.folder / f"{image_id}.png", self.folder / f"{image_id}_segmentation.png"
        Image.fromarray(np.full((SIDE, SIDE, 3), CLASSES.index(seen), np.uint8)).save(image_path)
        if mask is not None:
            Image.fromarray(mask.astype(np.uint8) * 255).save(mask_path)
        self.rows.append(
            {
                "image_id": image_id,
                "image_path": str(image_path),
                "mask_path": None if mask is None else str(mask_path),
                "dx": dx,
                "lesion_id": lesion or image_id,
            }
        )
        return image_path

    @property
    def catalog(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=list(CATALOG_COLUMNS)).astype(object)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path)


def test_diagnoses_and_masks_are_scored(dataset: Dataset) -> None:
    dataset.add("a", "mel", seen="mel", mask=square(10))
    dataset.add("b", "nv", seen="mel", mask=square(20))

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=20)

    assert evaluation.classification is not None
    assert evaluation.segmentation is not None
    assert evaluation.classification.recall["mel"].value == 1
    assert evaluation.classification.recall["nv"].value == 0
    assert evaluation.segmentation.jaccard.value == pytest.approx((1 + 1 / 4) / 2)
    assert list(evaluation.predictions.columns) == [
        *("image_id", "lesion_id", "dx", "diagnosis"),
        *CLASSES,
        *("jaccard", "dice", "view", "notes"),
    ]
    assert evaluation.predictions.loc[1, ["dx", "diagnosis", "mel", "jaccard"]].to_list() == [
        "nv",
        "mel",
        0.8,
        0.25,
    ]


def test_marked_diagnoses_are_counted_and_scored_apart(dataset: Dataset) -> None:
    for number, (dx, seen) in enumerate([("mel", "mel"), ("nv", "mel"), ("nv", "nv"), ("nv", "nv")]):
        dataset.add(f"image{number}", dx, seen=seen)

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=0)

    assert evaluation.abstention is not None
    assert evaluation.abstention.coverage.value == 0.5
    assert evaluation.abstention.accuracy.value == 1
    assert evaluation.abstention.marked_accuracy.value == 0.5
    assert evaluation.marks == {"no lesion found": 2, "low confidence": 2}
    assert "Not marked as doubtful: 2 of 4 images" in evaluation.to_text()


def test_groups_are_scored_where_the_dataset_knows_them(dataset: Dataset) -> None:
    for number in range(60):
        dataset.add(f"image{number}", "nv", seen="nv" if number % 4 else "mel")
    catalog = dataset.catalog.assign(sex=["female", "male"] * 30, age=[30.0] * 59 + [np.nan])

    evaluation = evaluate(SquarePipeline(), catalog, resamples=5)

    groups = {(group.kind, group.group): group for group in evaluation.groups}
    assert list(groups) == [("Age", "30-49"), ("Age", "unknown"), ("Sex", "female"), ("Sex", "male")]
    assert (groups["Sex", "female"].images, groups["Sex", "male"].images) == (30, 30)
    assert groups["Sex", "female"].accuracy.value == 0.5
    assert groups["Sex", "male"].accuracy.value == 1
    assert groups["Sex", "male"].malignant_auc is None, "there is no malignant image"
    assert groups["Age", "unknown"].accuracy is None, "one image is too few"
    assert groups["Age", "unknown"].images == 1


def test_an_image_that_can_not_be_read_is_named_and_the_others_are_scored(dataset: Dataset) -> None:
    dataset.add("broken", "mel", seen="mel").write_bytes(b"no image")
    dataset.add("whole", "mel", seen="mel")

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=0)

    assert [failure.image_id for failure in evaluation.failures] == ["broken"]
    assert "is not a JPEG" in evaluation.failures[0].reason
    assert list(evaluation.predictions["image_id"]) == ["whole"]
    assert any("broken" in note for note in evaluation.left_out.sentences())


def test_a_dataset_of_which_no_image_can_be_read_has_failures_and_no_scores(dataset: Dataset) -> None:
    dataset.add("broken", "mel", seen="mel", mask=square(10)).write_bytes(b"no image")

    evaluation = evaluate(SquarePipeline(), dataset.catalog)

    assert evaluation.classification is None
    assert evaluation.segmentation is None
    assert len(evaluation.failures) == 1


def test_a_mask_of_another_size_than_its_image_is_named_and_not_scored(dataset: Dataset) -> None:
    dataset.add("fits", None, seen="mel", mask=square(10))
    dataset.add("cut", None, seen="mel", mask=square(10)[:20])

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=0)

    assert evaluation.segmentation is not None
    assert evaluation.segmentation.count == 1
    assert [failure.image_id for failure in evaluation.mask_failures] == ["cut"]
    assert "40 x 20 pixels and its image 40 x 40" in evaluation.mask_failures[0].reason


def test_a_mask_that_can_not_be_read_is_named_and_its_diagnosis_still_counts(dataset: Dataset) -> None:
    dataset.add("a", "mel", seen="mel", mask=square(10))
    (dataset.folder / "a_segmentation.png").write_bytes(b"no mask")

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=0)

    assert evaluation.segmentation is None
    assert evaluation.classification is not None
    assert [failure.image_id for failure in evaluation.mask_failures] == ["a"]


def test_what_has_no_reference_is_left_out_of_that_part_and_counted(dataset: Dataset) -> None:
    dataset.add("both", "mel", seen="mel", mask=square(10))
    dataset.add("label", "nv", seen="nv")
    dataset.add("mask", None, seen="nv", mask=square(10))
    dataset.add("other", "scc", seen="nv", mask=square(10))

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=0)

    assert evaluation.classification is not None
    assert evaluation.segmentation is not None
    assert evaluation.classification.count == 2
    assert evaluation.segmentation.count == 3
    assert list(evaluation.left_out.sentences()) == [
        "Images without a diagnosis, left out of classification: 1.",
        "Images without a reference mask, left out of segmentation: 1.",
        "Diagnoses that the bundle does not tell, left out of classification: scc (1).",
        "Classes without an image, left out of the averages: bcc.",
    ]


def test_a_dataset_without_any_reference_is_refused_before_the_work(dataset: Dataset) -> None:
    dataset.add("a", None, seen="mel")

    with pytest.raises(DatasetError, match="neither diagnoses nor masks"):
        evaluate(SquarePipeline(), dataset.catalog)


def test_intervals_are_drawn_over_lesions(dataset: Dataset) -> None:
    for number in range(12):
        dataset.add(f"nv{number}", "nv", seen="nv" if number % 2 else "mel", lesion=f"lesion{number // 4}")

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=50)

    # Half of each lesion's images are right, whichever lesions are drawn.
    assert evaluation.classification is not None
    assert str(evaluation.classification.accuracy) == "0.500 (0.500-0.500)"
    assert evaluation.classification.lesions == 3


def test_examples_show_the_best_the_median_and_the_worst_masks(dataset: Dataset) -> None:
    for side in (10, 11, 12, 13, 14, 15, 16, 20, 40):
        dataset.add(f"side{side}", None, seen="nv", mask=square(side))

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=0)

    shown = [(example.kind, example.image_id) for example in evaluation.examples]
    assert shown == [
        ("best", "side10"),
        ("best", "side11"),
        ("median", "side13"),
        ("median", "side14"),
        ("worst", "side20"),
        ("worst", "side40"),
    ]
    assert evaluation.examples[-1].jaccard == pytest.approx(10**2 / 40**2)
    assert evaluation.examples[-1].reference.all()


def test_progress_is_told_after_each_image(dataset: Dataset) -> None:
    dataset.add("a", "mel", seen="mel")
    dataset.add("b", "mel", seen="mel").write_bytes(b"no image")
    steps: list[tuple[int, int]] = []

    evaluate(SquarePipeline(), dataset.catalog, resamples=0, progress=lambda *step: steps.append(step))

    assert steps == [(1, 2), (2, 2)]


def test_an_evaluation_says_what_it_was_made_of_and_can_be_written_as_json(dataset: Dataset) -> None:
    dataset.add("a", "mel", seen="mel", mask=square(10))

    evaluation = evaluate(SquarePipeline(), dataset.catalog, resamples=5, seed=7, datasets=["here"])

    written = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert written["facts"]["datasets"] == ["here"]
    assert written["facts"]["bundle"] == "squares"
    assert written["facts"]["intervals"] == {"confidence": 0.95, "resamples": 5, "seed": 7}
    assert written["facts"]["classification"] == {"precision": "float32", "sha256": "0" * 64}
    assert written["segmentation"]["jaccard"]["value"] == 1
    assert "Bundle: squares" in evaluation.to_text()
    assert "Segmentation of 1 images" in evaluation.to_text()
