"""Overruling: a reader's choices in place of the pipeline's."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from data.resizing import resize
from pipeline.bundle.loading import Bundle
from pipeline.prediction.predictor import LesionPipeline, Prediction
from pipeline.prediction.reading import Photograph
from segmentation.cropping import Box, lesion_mask


@dataclass(frozen=True)
class Overrule:
    """A reader's choices for one image; what is None stays as the pipeline has it.

    Attributes
    ----------
    view : "crop" or "full"
    margin : float
        Of the box around the lesion.
    box : Box in pixels of the image
    contour : bytes
        A grey PNG of the lesion's mask, in any size: 255 where the lesion is.
    """

    view: str | None = None
    margin: float | None = None
    box: Box | None = None
    contour: bytes | None = None

    def __bool__(self) -> bool:
        return self != Overrule()

    def words(self, bundle: Bundle) -> str:
        """The choices in words, for tables and reports; empty where there are none."""
        return ", ".join(self._words(bundle))

    def _words(self, bundle: Bundle) -> Iterator[str]:
        if self.contour:
            yield "contour drawn by the reader"
        if self.box:
            yield f"box of {self.box.width} pixels at {self.box.x0}, {self.box.y0} drawn by the reader"
        elif self.margin is not None:
            yield f"margin {self.margin:g} in place of {bundle.crop_margin:g}"
        if self.view:
            yield "whole image classified" if self.view == "full" else "crop classified"


def predict_overruled(
    pipeline: LesionPipeline, photograph: Photograph, overrule: Overrule, mask: np.ndarray | None = None
) -> Prediction:
    """The prediction of an image that `pipeline.open` has read, with a reader's choices.

    `mask`, bool (H, W), is what the segmentation has found, where it is known already.
    """
    if overrule.contour:
        mask = mask_of(overrule.contour, photograph.size)
    view = "crop" if overrule.box and not overrule.view else overrule.view
    return pipeline.predict(photograph, view=view, margin=overrule.margin, box=overrule.box, mask=mask)


def mask_of(contour: bytes, size: tuple[int, int]) -> np.ndarray:
    """The largest part of a drawn mask, its holes filled, as a bool array of `size` (height, width).

    Raises
    ------
    ValueError
        If the content is no picture.
    """
    drawn = cv2.imdecode(np.frombuffer(contour, np.uint8), cv2.IMREAD_GRAYSCALE)
    if drawn is None:
        raise ValueError("the drawn contour is no PNG picture")
    return lesion_mask(resize(drawn.astype(np.float32) / 255, size), 0.5)
