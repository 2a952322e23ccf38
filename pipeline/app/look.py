"""The predictions of the image that is looked at, kept until another one is, so that a choice takes a moment only."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.app.readings import FULL, OWN, Reading
from pipeline.app.visit import Picture, Visit, remembered
from pipeline.prediction.overruling import mask_of, predict_overruled
from pipeline.prediction.predictor import LesionPipeline, Prediction
from pipeline.prediction.reading import Photograph
from pipeline.reports.pictures import jpeg_uri, reduced
from segmentation.cropping import Box, lesion_box, square_box

SHOWN_SIDE, SEEN_SIDE = 1600, 448


@dataclass(frozen=True, eq=False)
class Look:
    """One image with the reader's choices.

    Attributes
    ----------
    photograph : the image as it was read
    prediction : with the reader's choices
    cropped, full : the predictions from the crop, or the reader's box, and from the whole image
    automatic : the box that the pipeline chose by itself; None where it found no lesion
    own : the reader's box, where it is what the classifier sees
    """

    photograph: Photograph
    prediction: Prediction
    cropped: Prediction
    full: Prediction
    automatic: Box | None
    own: Box | None

    @property
    def size(self) -> tuple[int, int]:
        return self.photograph.size

    @property
    def box(self) -> Box:
        """The box that is drawn: the reader's, the lesion's, or one to begin with."""
        return self.own or self.prediction.box or middle(self.size)

    def part(self, box: Box | None) -> np.ndarray:
        """What a box holds, or the whole image, as the classifier gets it before it is resized."""
        return self.photograph.part(box, (SEEN_SIDE, SEEN_SIDE)) if box else self.photograph.pixels

    def seen_uri(self, box: Box | None) -> str:
        """A picture of what a box holds, or of the whole image."""
        return jpeg_uri(reduced(self.part(box), SEEN_SIDE))


def opened(pipeline: LesionPipeline, picture: Picture) -> tuple[Photograph, np.ndarray]:
    """The image and the mask that the segmentation finds in it.

    Raises
    ------
    ImageError
        If the file can't be used.
    """

    def make() -> tuple[Photograph, np.ndarray]:
        photograph = pipeline.open(picture.content)
        return photograph, pipeline.predict(photograph).mask

    known: tuple[Photograph, np.ndarray] = remembered("opened", picture.key, make)
    return known


def look_at(pipeline: LesionPipeline, visit: Visit, picture: Picture) -> Look:
    """Predict the picture with the reader's choices, and with both views for comparison."""
    reading = visit.reading(picture.key)
    overrule = reading.overrule(pipeline.bundle)
    known: Look = remembered("look", (picture.key, overrule), lambda: _look(pipeline, picture, reading))
    return known


def _look(pipeline: LesionPipeline, picture: Picture, reading: Reading) -> Look:
    photograph, found = opened(pipeline, picture)
    overrule = reading.overrule(pipeline.bundle)
    mask = mask_of(overrule.contour, photograph.size) if overrule.contour else found
    cropped, full = (
        predict_overruled(pipeline, photograph, replace(overrule, view=view, contour=None), mask)
        for view in ("crop", "full")
    )
    return Look(
        photograph=photograph,
        prediction=full if reading.chosen(pipeline.bundle) == FULL else cropped,
        cropped=cropped,
        full=full,
        automatic=lesion_box(found, pipeline.bundle.crop_margin),
        own=reading.box if reading.choice == OWN else None,
    )


def middle(size: tuple[int, int]) -> Box:
    """Where there is no lesion to begin with: half the shorter side, in the middle."""
    height, width = size
    return square_box(width / 2, height / 2, min(height, width) / 2, (height, width))
