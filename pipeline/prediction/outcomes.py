"""What came out for one image, small enough to keep for hundreds of them."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.images import ImageError
from data.quality import image_quality
from data.resizing import resize_mask
from pipeline.bundle.loading import Bundle
from pipeline.prediction.outputs import csv_cell, table_columns, table_row
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.overruling import Overrule, predict_overruled
from pipeline.prediction.predictor import NO_RELIABLE_ANSWER, UNLIKE_TRAINING, LesionPipeline, Prediction
from pipeline.prediction.reading import Photograph, as_pixels
from pipeline.reports.pictures import encoded, reduced
from segmentation.cropping import Box
from segmentation.shape import Measurement, measure_lesion

PICTURE_SIDE, THUMBNAIL_SIDE = 640, 96


@dataclass(frozen=True)
class Remarks:
    """What a reader writes beside a prediction: a case's name, an own diagnosis, a comment."""

    case: str = ""
    diagnosis: str = ""
    comment: str = ""


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
    picture, thumbnail : bytes
        JPEGs of the image with contour, box and label, and of the image alone; empty where there are none.
    error : str
        Why the image could not be used; empty where it could.
    overruled : str
        What the reader chose in place of the pipeline, in words; empty where nothing.
    measurements : tuple of Measurement
    quality : tuple of str
        What makes the photograph hard to judge, as `data.quality.Quality.notes`.
    millimetres_per_pixel : float, optional
    remarks : Remarks
    """

    name: str
    facts: dict[str, Any]
    row: tuple[object, ...]
    picture: bytes = field(default=b"", repr=False)
    thumbnail: bytes = field(default=b"", repr=False)
    error: str = ""
    overruled: str = ""
    measurements: tuple[Measurement, ...] = ()
    quality: tuple[str, ...] = ()
    millimetres_per_pixel: float | None = None
    remarks: Remarks = Remarks()

    @property
    def headline(self) -> str:
        """As `Prediction.headline`; empty where there is none."""
        return NO_RELIABLE_ANSWER if UNLIKE_TRAINING in self.facts.get("notes", ()) else ""

    def with_remarks(self, remarks: Remarks) -> "Outcome":
        """The same with a reader's remarks."""
        return replace(self, remarks=remarks)


def predict_file(
    pipeline: LesionPipeline,
    name: str,
    content: bytes,
    overrule: Overrule | None = None,
    millimetres_per_pixel: float | None = None,
) -> Outcome:
    """Predict one image file's content; a file that can't be used gives an outcome with an error."""
    try:
        photograph = pipeline.open(content)
    except ImageError as error:
        reason = _named(error, name)
        blanks = ("",) * (len(table_columns(pipeline.bundle.classes)) - 2)
        return Outcome(name, {}, (csv_cell(name), *blanks, csv_cell(reason)), error=reason)
    overrule = overrule or Overrule()
    prediction = predict_overruled(pipeline, photograph, overrule)
    return outcome_of(pipeline.bundle, name, photograph, prediction, overrule, millimetres_per_pixel)


def outcome_of(
    bundle: Bundle,
    name: str,
    photograph: Photograph,
    prediction: Prediction,
    overrule: Overrule,
    millimetres_per_pixel: float | None = None,
    measurements: tuple[Measurement, ...] | None = None,
) -> Outcome:
    """A prediction that was made already, as an outcome; it is measured here where it wasn't yet."""
    if measurements is None:
        measurements = measured(photograph, prediction.mask, millimetres_per_pixel)
    facts = prediction.to_dict()
    return Outcome(
        name,
        facts,
        tuple(table_row(Path(name), facts, bundle.classes)),
        encoded(
            reduced(draw_overlay(photograph.pixels, _of_size(prediction, photograph)), PICTURE_SIDE), ".jpg"
        ),
        encoded(reduced(photograph.pixels, THUMBNAIL_SIDE), ".jpg"),
        overruled=overrule.words(bundle),
        measurements=measurements,
        quality=quality_notes(photograph, prediction.mask),
        millimetres_per_pixel=millimetres_per_pixel,
    )


def quality_notes(photograph: Photograph, mask: np.ndarray) -> tuple[str, ...]:
    """What makes a photograph hard to judge; `mask`, bool (H, W), is its lesion."""
    lesion = resize_mask(mask, photograph.pixels.shape[:2])
    return image_quality(photograph.pixels, lesion).notes()


def measured(
    photograph: Photograph, mask: np.ndarray, millimetres_per_pixel: float | None
) -> tuple[Measurement, ...]:
    """The measurements of a mask (H, W) on the image in its own size."""
    whole = photograph.pixels.shape[:2] == photograph.size
    pixels = photograph.pixels if whole else as_pixels(photograph.source)
    return measure_lesion(pixels, mask, millimetres_per_pixel)


def scaled_prediction(prediction: Prediction, size: tuple[int, int]) -> Prediction:
    """The prediction as it lies on the image resized to `size` (height, width)."""
    rows, columns = size[0] / prediction.mask.shape[0], size[1] / prediction.mask.shape[1]
    box = prediction.box and Box(
        *(round(side * share) for side, share in zip(prediction.box, (columns, rows) * 2, strict=True))
    )
    return replace(prediction, mask=resize_mask(prediction.mask, size), box=box)


def _named(error: ImageError, name: str) -> str:
    return str(error).replace("image:", f"{name}:", 1)


def _of_size(prediction: Prediction, photograph: Photograph) -> Prediction:
    """The prediction as it lies on the pixels that were read, which may be fewer than the image's own."""
    size = photograph.pixels.shape[:2]
    if size == photograph.size:
        return prediction
    return scaled_prediction(prediction, size)
