"""From an image to a mask, a crop and a diagnosis."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from data.diagnoses import malignancy
from data.images import ImageError
from data.resizing import resize
from pipeline.bundle import VIEWS, Bundle, BundleError, load_bundle
from pipeline.reading import AnySource, Source, as_pixels, read_ahead
from pipeline.runtime import LiteRTModel, ModelError
from segmentation.cropping import Box, crop, lesion_box, lesion_mask

NO_LESION = "no lesion found"
NO_LESION_TO_CROP = "no lesion found: whole image used"
LOW_CONFIDENCE = "low confidence"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the pipeline says about one image of height H and width W.

    Attributes
    ----------
    diagnosis : str
        The most probable class.
    probabilities : dict
        Calibrated probability of every class, in the bundle's order; they sum to 1.
    malignant : float
        Sum of the malignant classes' probabilities; NaN where the classes don't tell malignant from benign.
    mask : bool array (H, W)
        The lesion; all False where none was found.
    box : Box or None
        The square around the lesion, with margin; None where no plausible lesion was found.
    view : "crop" or "full"
        What the classifier looked at.
    activation_map : float32 array (h, w, C)
        For each class, in the order of `probabilities`, where in the view the evidence lies.
    notes : tuple of str
        What a reader should know about this prediction.
    """

    diagnosis: str
    probabilities: dict[str, float]
    malignant: float
    mask: np.ndarray
    box: Box | None
    view: str
    activation_map: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """Probability of the diagnosis, 0..1."""
        return self.probabilities[self.diagnosis]

    @property
    def lesion_fraction(self) -> float:
        """Part of the image's area that the lesion covers, 0..1."""
        return float(self.mask.mean())

    def to_dict(self) -> dict[str, Any]:
        """All but the arrays, in types that JSON knows."""
        return {
            "diagnosis": self.diagnosis,
            "confidence": self.confidence,
            "malignant": None if math.isnan(self.malignant) else self.malignant,
            "probabilities": self.probabilities,
            "box": self.box._asdict() if self.box else None,
            "lesion_fraction": self.lesion_fraction,
            "view": self.view,
            "notes": list(self.notes),
        }


class LesionPipeline:
    """Both stages of a bundle, chained.

    Examples
    --------
    >>> from pipeline import LesionPipeline
    >>> prediction = LesionPipeline.load().predict("photo.jpg")
    >>> prediction.diagnosis, round(prediction.confidence, 2)
    ('nv', 0.93)
    """

    def __init__(self, bundle: Bundle, segmentation: LiteRTModel, classification: LiteRTModel) -> None:
        self.bundle = bundle
        self._segmentation = segmentation
        self._classification = classification

    @classmethod
    def load(cls, bundle: str | Path | Bundle | None = None, threads: int | None = None) -> Self:
        """Open a bundle's models.

        Parameters
        ----------
        bundle : str, Path or Bundle, optional
            A bundle's folder; by default the bundle that ships with the software.
        threads : int, optional
            Threads for one inference; by default one a core, at most four.

        Raises
        ------
        BundleError
            If the bundle can't be used.
        """
        if not isinstance(bundle, Bundle):
            bundle = load_bundle(bundle)
        try:
            return cls(
                bundle,
                LiteRTModel(bundle.segmentation_path, threads),
                LiteRTModel(bundle.classification_path, threads),
            )
        except ModelError as error:
            raise BundleError(f"{error}; export the bundle again.") from error

    def predict(
        self, image: Source, *, view: str | None = None, margin: float | None = None, box: Box | None = None
    ) -> Prediction:
        """Find, crop and name the lesion in one image.

        Parameters
        ----------
        image : str, Path, bytes or uint8 array (H, W, 3)
            An image file, its content, or RGB pixels.
        view : "crop" or "full", optional
            What the classifier looks at; by default what the bundle's looked at in training.
        margin : float, optional
            Of the box around the lesion, as `segmentation.cropping.widen` takes it; by default the bundle's.
        box : Box, optional
            What to crop, in place of the box around the lesion.

        Raises
        ------
        ImageError
            If the file can't be read, or the array is no 8-bit RGB image.
        ValueError
            If the view is another, the margin is negative, or the box is empty or not inside the image.
        """
        pixels = as_pixels(image)
        view = view or self.bundle.view
        margin = self.bundle.crop_margin if margin is None else margin
        _check_choices(view, margin, box, pixels.shape[:2])
        mask = self._find(pixels)
        box = box or lesion_box(mask, margin)
        view = "crop" if view == "crop" and box else "full"
        seen = crop(pixels, box) if view == "crop" and box else pixels
        probabilities, activation_map = self._name(seen)
        return Prediction(
            diagnosis=max(probabilities, key=probabilities.__getitem__),
            probabilities=probabilities,
            malignant=_malignant_probability(probabilities),
            mask=mask,
            box=box,
            view=view,
            activation_map=activation_map,
            notes=self._notes(box, max(probabilities.values())),
        )

    def predict_many(
        self, images: Iterable[AnySource]
    ) -> Iterator[tuple[AnySource, Prediction | ImageError]]:
        """Predict images one after the other, in their order, while threads read the next ones.

        Only a few images are held at a time, so that memory stays flat whatever their number; `images` may be
        a generator. An image that can't be used gives its `ImageError` in place of a prediction.
        """
        for source, pixels in read_ahead(images):
            yield source, pixels if isinstance(pixels, ImageError) else self.predict(pixels)

    def _find(self, pixels: np.ndarray) -> np.ndarray:
        height, width, _ = self._segmentation.input_shape
        (probability,) = self._segmentation(resize(pixels, (height, width)))
        return lesion_mask(resize(probability[:, :, 0], pixels.shape[:2]), self.bundle.threshold)

    def _name(self, view: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        height, width, _ = self._classification.input_shape
        logits, activation_map = self._classification(resize(view, (height, width)))
        probabilities = softmax(logits / self.bundle.temperature)
        return dict(zip(self.bundle.classes, probabilities.tolist(), strict=True)), activation_map

    def _notes(self, box: Box | None, confidence: float) -> tuple[str, ...]:
        notes = []
        if box is None:
            notes.append(NO_LESION_TO_CROP if self.bundle.view == "crop" else NO_LESION)
        if confidence < self.bundle.abstention_threshold:
            notes.append(LOW_CONFIDENCE)
        return tuple(notes)


def _check_choices(view: str, margin: float, box: Box | None, image_size: tuple[int, ...]) -> None:
    height, width = image_size
    if view not in VIEWS:
        raise ValueError(f"the view must be one of {', '.join(VIEWS)}, not {view}")
    if not 0 <= margin < math.inf:
        raise ValueError(f"the margin must be 0 or more, not {margin}")
    if box and not (0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height):
        raise ValueError(f"{box} is empty or not inside the image of {width} x {height} pixels")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (C,), in double precision so that they sum to 1."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()


def _malignant_probability(probabilities: dict[str, float]) -> float:
    groups = {name: malignancy(name) for name in probabilities}
    if all(group == "unknown" for group in groups.values()):
        return math.nan
    return min(1.0, math.fsum(probabilities[name] for name in groups if groups[name] == "malignant"))
