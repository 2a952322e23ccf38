"""What the page must know of a bundle and of this package, so that nothing is written down twice."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from classification.ood import SMALLEST_DEVIATION, AppearanceDetector, OODDetector
from data.datasets.diagnoses import diagnosis_name, malignancy
from data.images import MAX_PIXELS, MAX_PIXELS_OTHERS, MIN_SIDE
from pipeline.bundle.litert import quantisation
from pipeline.bundle.loading import Bundle, ModelFile
from pipeline.prediction.outputs import table_columns
from pipeline.prediction.predictor import (
    CUT_OFF,
    LOW_CONFIDENCE,
    MOST_OUTSIDE_CROP,
    NO_LESION,
    NO_LESION_TO_CROP,
    NO_RELIABLE_ANSWER,
    OUTSIDE_CROP,
    UNLIKE_TRAINING,
)
from pipeline.prediction.reading import enough_pixels
from pipeline.prediction.wording import MEANINGS
from segmentation.cropping import LARGEST_LESION, SHORTEST_CUT, SMALLEST_LESION
from segmentation.measures import MEASURED_SIDE, MEASURES, RIM


def page_constants(bundle: Bundle, examples: list[dict[str, str]]) -> dict[str, Any]:
    """Everything that the page computes with or says, in types that JSON knows.

    Parameters
    ----------
    bundle : Bundle
    examples : the drawn images to try, each with its `file` and the `name` of what it was drawn as
    """
    whole, part = enough_pixels(bundle.segmentation.input_shape, bundle.classification.input_shape)
    return {
        "bundle": _bundle(bundle),
        "models": {
            "segmentation": _model(bundle.segmentation, bundle.segmentation_path),
            "classification": _model(bundle.classification, bundle.classification_path),
        },
        "classes": [
            {"code": code, "name": diagnosis_name(code), "group": malignancy(code, bundle.malignant)}
            for code in bundle.classes
        ],
        "lesion": {
            "smallest": SMALLEST_LESION,
            "largest": LARGEST_LESION,
            "shortest_cut": SHORTEST_CUT,
            "most_outside": MOST_OUTSIDE_CROP,
        },
        "limits": {
            "most_pixels": MAX_PIXELS_OTHERS,
            "most_jpeg_pixels": MAX_PIXELS,
            "smallest_side": MIN_SIDE,
        },
        "enough": {"whole": _size(whole), "part": _size(part)},
        "notes": {
            "no_lesion": NO_LESION,
            "no_lesion_to_crop": NO_LESION_TO_CROP,
            "low_confidence": LOW_CONFIDENCE,
            "unlike_training": UNLIKE_TRAINING,
            "cut_off": CUT_OFF,
            "outside_crop": OUTSIDE_CROP,
        },
        "meanings": MEANINGS,
        "no_answer": NO_RELIABLE_ANSWER,
        "measuring": {"side": MEASURED_SIDE, "rim": RIM, "words": [asdict(measure) for measure in MEASURES]},
        "columns": list(table_columns(bundle.classes)),
        "viridis": _viridis(),
        "examples": examples,
    }


def _bundle(bundle: Bundle) -> dict[str, Any]:
    return {
        "name": bundle.name,
        "created": bundle.created,
        "licence": bundle.training.get("licence", ""),
        "view": bundle.view,
        "crop_margin": bundle.crop_margin,
        "threshold": bundle.threshold,
        "temperature": bundle.temperature,
        "abstention_threshold": bundle.abstention_threshold,
        "second_look": asdict(bundle.second_look) if bundle.second_look else None,
        "energy": _detector(bundle.ood),
        "appearance": _detector(bundle.appearance),
    }


def _detector(detector: OODDetector | AppearanceDetector | None) -> dict[str, Any] | None:
    return None if detector is None else {**detector.to_dict(), "smallest_deviation": SMALLEST_DEVIATION}


def _model(model: ModelFile, path: Path) -> dict[str, Any]:
    values, outputs = quantisation(path)
    return {
        "file": f"models/{model.file}",
        **_size(model.input_shape),
        "values": values,
        "outputs": [{"scale": scale, "zero_point": zero_point} for scale, zero_point in outputs],
    }


def _size(shape: tuple[int, ...]) -> dict[str, int]:
    return {"width": shape[1], "height": shape[0]}


def _viridis() -> list[list[int]]:
    """Red, green and blue of the 256 colours of the activation map."""
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_VIRIDIS)
    colours: list[list[int]] = bgr.reshape(256, 3)[:, ::-1].tolist()
    return colours
