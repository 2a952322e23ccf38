"""Predictions of many images as one table and as one html page."""

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from data.datasets.diagnoses import diagnosis_name, malignancy
from data.images import ImageError, read_image
from data.resizing import resize
from pipeline.bundle.loading import Bundle
from pipeline.prediction.outputs import table_columns, table_row
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import LesionPipeline
from pipeline.reports.pages import template_environment

PICTURE_SIDE = 640
JPEG_QUALITY = 85


@dataclass(frozen=True)
class Outcome:
    """What came out for one image, small enough to keep for hundreds of them.

    Attributes
    ----------
    name : str
        The image's file name.
    facts : dict
        As `Prediction.to_dict`; empty where the image could not be used.
    row : tuple
        The image's line in `predictions.csv`.
    picture : bytes
        A JPEG of the image with contour, box and label; empty where there is none.
    error : str
        Why the image could not be used; empty where it could.
    """

    name: str
    facts: dict[str, Any]
    row: tuple[object, ...]
    picture: bytes = b""
    error: str = ""


def predict_file(pipeline: LesionPipeline, name: str, content: bytes) -> Outcome:
    """Predict one image file's content; a file that can't be used gives an outcome with an error."""
    classes = pipeline.bundle.classes
    try:
        image = read_image(content, name=name)
    except ImageError as error:
        blanks = ("",) * (len(table_columns(classes)) - 2)
        return Outcome(name, {}, (name, *blanks, str(error)), error=str(error))
    prediction = pipeline.predict(content)
    row = tuple(table_row(Path(name), prediction, classes))
    return Outcome(name, prediction.to_dict(), row, _jpeg(draw_overlay(image, prediction)))


def csv_text(outcomes: Sequence[Outcome], classes: Sequence[str]) -> str:
    """The table that `lesion predict --output` writes; an image that could not be used has its error as its notes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table_columns(classes))
    writer.writerows(outcome.row for outcome in outcomes)
    return text.getvalue()


def html_page(outcomes: Sequence[Outcome], bundle: Bundle) -> str:
    """All outcomes on one page that needs no other file and no network."""
    environment = template_environment()
    return environment.get_template("gallery.html").render(
        outcomes=outcomes,
        bundle=bundle,
        diagnosis_name=diagnosis_name,
        malignancy=malignancy,
        uri=lambda picture: f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}",
    )


def _jpeg(picture: np.ndarray) -> bytes:
    scale = min(1.0, PICTURE_SIDE / max(picture.shape[:2]))
    size = round(picture.shape[0] * scale), round(picture.shape[1] * scale)
    bgr = cv2.cvtColor(resize(picture, size), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
