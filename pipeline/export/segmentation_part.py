"""The segmentation of a new bundle: converted from a run, or taken over from another bundle as it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data.files import sha256
from data.splits import read_splits
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import MANIFEST_FILE, Bundle
from segmentation.engine.run_folder import Run

NO_SPLITS = pd.DataFrame({"image_id": [], "split": []}, dtype=object)


@dataclass(frozen=True, eq=False)
class SegmentationPart:
    """A U-Net as a bundle holds it, and what is known of it.

    Attributes
    ----------
    content : bytes of the LiteRT file
    precision : "float32", "float16" or "int8"
    threshold : of the lesion's probability
    training, validation, parity : as `bundle.json` has them
    splits : DataFrame with `image_id` and `split`: the images that it was trained, chosen or tested on
    """

    content: bytes
    precision: str
    threshold: float
    training: Mapping[str, Any]
    validation: Mapping[str, Any]
    parity: Mapping[str, Any]
    splits: pd.DataFrame

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> "SegmentationPart":
        """The bundle's own U-Net, as it is. What the bundle's classifier has seen counts as seen by it, too."""
        facts = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        return cls(
            content=bundle.segmentation_path.read_bytes(),
            precision=bundle.segmentation.precision,
            threshold=bundle.threshold,
            training={**facts["training"].get("segmentation", {}), "bundle": bundle.name},
            validation=facts["figures"].get("validation", {}).get("segmentation"),
            parity=facts["figures"].get("parity", {}).get("segmentation"),
            splits=read_splits(bundle.splits_path) if bundle.splits_path else NO_SPLITS,
        )


def probabilities(model: LiteRTModel, images: np.ndarray) -> np.ndarray:
    """Lesion probability float32 (N, h, w, 1) of inputs uint8 (N, h, w, 3)."""
    return np.stack([model(image)[0] for image in images])


def identity(segmentation: Run | Bundle) -> str:
    """What a classification run records of the segmentation that found its crops: the hash of the model's file."""
    if isinstance(segmentation, Bundle):
        return sha256(segmentation.segmentation_path)
    return sha256(segmentation.model_path)


def other_segmentation(classification: Run, segmentation: str) -> str | None:
    """A warning where the classifier's crops came from another segmentation than the one of that identity."""
    settings = classification.settings
    if settings["view"] != "crop" or settings.get("segmentation") in {None, segmentation}:
        return None
    return (
        f"{classification.folder} was trained on crops that another segmentation found; give the same one to export, "
        "or evaluate the bundle before you trust it."
    )


def mixed_tests(segmentation: pd.DataFrame, classification: pd.DataFrame) -> str | None:
    """A warning where test images of one training were learned from in the other; None where none were.

    Parameters
    ----------
    segmentation, classification : DataFrame with `image_id` and `split`
    """
    both = segmentation.merge(classification, on="image_id", suffixes=("_segmentation", "_classification"))
    parts = both[["split_segmentation", "split_classification"]]
    tests = parts == "test"
    lost = tests.any(axis=1) & ~tests.all(axis=1)
    if not lost.any():
        return None
    alone = classification[~classification["image_id"].isin(both["image_id"])]["split"].eq("test").sum()
    left = int(tests.all(axis=1).sum() + alone)
    return (
        f"the two models were split separately: {int(lost.sum())} images that are a test of one were seen by the "
        f"other, and {left} test images are left to evaluate on; train the classifier with --splits FILE, the "
        "splits.csv of the segmentation's run or bundle."
    )
