"""From an image to a mask, a crop and a diagnosis."""

import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from classification.appearance import Seen, appearance
from classification.probabilities import softmax
from classification.test_time_augmentation import averaged_over_flips, flips_of, is_unsure
from data.datasets.diagnoses import malignancy
from data.images import EncodedImage, ImageError
from data.one_thread import opencv_in_one_thread
from data.resizing import resize
from pipeline.bundle.litert import LiteRTModel, ModelError, NotFiniteError, default_threads
from pipeline.bundle.loading import VIEWS, Bundle, BundleError, load_bundle
from pipeline.bundle.mask_finder import MaskFinder
from pipeline.prediction.reading import AnySource, Photograph, Source, enough_pixels, open_photograph, opened
from pipeline.prediction.threads import Turns, in_order
from segmentation.cropping import Box, lesion_box, lesion_mask, part_outside, touches_frame

NO_LESION = "no lesion found"
NO_LESION_TO_CROP = "no lesion found: whole image used"
LOW_CONFIDENCE = "low confidence"
UNLIKE_TRAINING = "unlike the training images"
CUT_OFF = "lesion cut off by the frame: size and shape are lower bounds"
OUTSIDE_CROP = "part of the lesion is outside the crop"
NO_RELIABLE_ANSWER = "no reliable answer"
# Of the lesion's area; less than this is the mask's rim.
MOST_OUTSIDE_CROP = 0.02
DOUBTS = frozenset({LOW_CONFIDENCE, UNLIKE_TRAINING})


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
    ood_score : float
        How much the image looks like those of the training, see `classification.ood`; NaN where the bundle
        can't tell.
    group : "malignant", "benign" or "unknown"
        What the diagnosis is.
    """

    diagnosis: str
    probabilities: dict[str, float] = field(repr=False)
    malignant: float
    mask: np.ndarray = field(repr=False)
    box: Box | None
    view: str
    activation_map: np.ndarray = field(repr=False)
    notes: tuple[str, ...] = ()
    ood_score: float = math.nan
    group: str = "unknown"

    @property
    def confidence(self) -> float:
        """Probability of the diagnosis, 0..1."""
        return self.probabilities[self.diagnosis]

    @property
    def doubtful(self) -> bool:
        """Whether a note says that the confidence is low or the image unlike those of the training."""
        return not DOUBTS.isdisjoint(self.notes)

    @property
    def headline(self) -> str | None:
        """What stands in front of the ranked diagnoses where the image is unlike those of the training; else None."""
        return NO_RELIABLE_ANSWER if UNLIKE_TRAINING in self.notes else None

    @property
    def lesion_fraction(self) -> float:
        """Part of the image's area that the lesion covers, 0..1."""
        return np.count_nonzero(self.mask) / self.mask.size

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
            "familiarity": None if math.isnan(self.ood_score) else self.ood_score,
            "notes": list(self.notes),
        }


class _Answer(NamedTuple):
    """What the classifier says of a view."""

    probabilities: dict[str, float]
    activation_map: np.ndarray
    logits: np.ndarray
    as_it_is: tuple[np.ndarray, np.ndarray]  # logits and activation map of the view, not averaged over flips

    @property
    def diagnosis(self) -> str:
        return max(self.probabilities, key=self.probabilities.__getitem__)


class LesionPipeline:
    """Both stages of a bundle, chained.

    Examples
    --------
    >>> from pipeline import LesionPipeline
    >>> prediction = LesionPipeline.load().predict("photo.jpg")
    >>> f"{prediction.diagnosis}, {prediction.confidence:.0%}"  # the class, and its calibrated probability
    '..., ...%'
    >>> prediction.box
    Box(x0=..., y0=..., x1=..., y1=...)
    >>> prediction.mask.shape
    (450, 600)
    """

    def __init__(
        self, bundle: Bundle, segmentation: LiteRTModel, classification: LiteRTModel, tta: bool | None = None
    ) -> None:
        self.bundle = bundle
        self.tta = bundle.averaged_over_flips(tta)
        self._segmentation = segmentation
        self._find_mask = MaskFinder(segmentation, bundle.threshold)
        self._classification = classification
        self._turns = Turns()
        calibrations = {True: bundle.tta, False: bundle, None: bundle.second_look}
        self._calibration = calibrations[self.tta] or bundle
        self._enough, self._detail = enough_pixels(segmentation.input_shape, classification.input_shape)

    @classmethod
    def load(
        cls,
        bundle: str | Path | Bundle | None = None,
        threads: int | None = None,
        *,
        tta: bool | None = None,
        at_once: int = 1,
    ) -> Self:
        """Open a bundle's models.

        Parameters
        ----------
        bundle : str, Path or Bundle, optional
            A bundle's folder; by default the bundle that ships with the software.
        threads : int, optional
            Threads for inference; by default one a core, at most four.
        tta : bool, optional
            Whether the diagnosis is the average over the view, its mirror images and its half turn: steadier, and four
            times the classifier's work. By default only where the first look is unsure, if the bundle says when that
            is (`Bundle.second_look`), and else never.
        at_once : int
            Images that `predict_many` predicts at the same time, the threads shared out among them: more images a
            second, for as many times the models' memory.

        Raises
        ------
        BundleError
            If the bundle can't be used.
        """
        if not isinstance(bundle, Bundle):
            bundle = load_bundle(bundle)
        threads = threads or default_threads()
        at_once = min(at_once, threads)
        try:
            segmentation, classification = (
                LiteRTModel(path, threads // at_once, at_once)
                for path in (bundle.segmentation_path, bundle.classification_path)
            )
        except ModelError as error:
            raise BundleError(f"{error}; export the bundle again.") from error
        return cls(bundle, segmentation, classification, tta)

    def open(self, image: Source) -> Photograph:
        """Read an image in the detail that `predict` asks for, so that it is read once for several predictions.

        Raises
        ------
        ImageError
            If the file can't be read, or the array is no 8-bit RGB image.
        """
        return open_photograph(image, self._enough)

    @property
    def at_once(self) -> int:
        """Images that can be predicted at the same time."""
        return self._segmentation.at_once

    def predict(
        self,
        image: Source | Photograph,
        *,
        view: str | None = None,
        margin: float | None = None,
        box: Box | None = None,
        mask: np.ndarray | None = None,
    ) -> Prediction:
        """Find, crop and name the lesion in one image.

        Parameters
        ----------
        image : str, Path, bytes, uint8 array (H, W, 3), PIL image or Photograph
            An image file, its content, RGB pixels, or what `open` has read.
        view : "crop" or "full", optional
            What the classifier looks at; by default what the bundle's looked at in training.
        margin : float, optional
            Of the box around the lesion, as `segmentation.cropping.widen` takes it; by default the bundle's.
        box : Box, optional
            What to crop, in place of the box around the lesion.
        mask : bool array (H, W), optional
            The lesion, in place of what the segmentation finds.

        Raises
        ------
        ImageError
            If the file can't be read, the array is no 8-bit RGB image, or it is none of all these; or if a model says
            of it what is no number.
        ValueError
            If the view is another, the margin is negative, the box is empty or not inside the image, or the mask is
            not of the image's size.
        """
        photograph = image if isinstance(image, Photograph) else self.open(image)
        try:
            return self._predict(photograph, view, margin, box, mask)
        except NotFiniteError as error:
            raise ImageError(
                f"{_name_of(photograph.source)}: can't be diagnosed ({error}); export the bundle again."
            ) from error

    def _predict(
        self,
        photograph: Photograph,
        view: str | None,
        margin: float | None,
        box: Box | None,
        mask: np.ndarray | None,
    ) -> Prediction:
        view = view or self.bundle.view
        margin = self.bundle.crop_margin if margin is None else margin
        _check_choices(view, margin, box, photograph.size)
        small, probability = self._find_mask.answer(photograph.pixels)
        if mask is None:
            mask = lesion_mask(resize(probability, photograph.size), self.bundle.threshold)
        elif mask.shape != photograph.size:
            raise ValueError(f"the mask is {mask.shape} and not of the image's size {photograph.size}")
        box = box or lesion_box(mask, margin)
        view, seen = self._view(photograph, view, box)
        answer = self._name(seen)
        ood_score = self._ood_score(Seen(small, probability, *answer.as_it_is))
        return Prediction(
            diagnosis=answer.diagnosis,
            probabilities=answer.probabilities,
            malignant=_malignant_probability(answer.probabilities, self.bundle.malignant),
            mask=mask,
            box=box,
            view=view,
            activation_map=answer.activation_map,
            notes=tuple(self._notes(mask, box, view, answer, ood_score)),
            ood_score=ood_score,
            group=malignancy(answer.diagnosis, self.bundle.malignant),
        )

    def examine(self, image: Source | Photograph) -> tuple[Seen, np.ndarray]:
        """What the networks see of an image and say, before any calibration.

        Parameters
        ----------
        image : as `predict` takes it

        Returns
        -------
        Seen, with what the classifier says of the view as it is
        float array (C,), its logits, averaged over flips where the pipeline does so

        Raises
        ------
        ImageError
            As `predict`.
        """
        photograph = image if isinstance(image, Photograph) else self.open(image)
        small, probability = self._find_mask.answer(photograph.pixels)
        mask = lesion_mask(resize(probability, photograph.size), self.bundle.threshold)
        _, seen = self._view(photograph, self.bundle.view, lesion_box(mask, self.bundle.crop_margin))
        answer = self._name(seen)
        return Seen(small, probability, *answer.as_it_is), answer.logits

    def lesion_probability(self, image: Source | Photograph) -> np.ndarray:
        """Probability of lesion at every pixel, before any threshold.

        Parameters
        ----------
        image : as `predict` takes it

        Returns
        -------
        float32 array (H, W) in 0..1

        Raises
        ------
        ImageError
            If the file can't be read, or the array is no 8-bit RGB image.
        """
        photograph = image if isinstance(image, Photograph) else self.open(image)
        return self._find_mask.probability(photograph.pixels, photograph.size)

    def predict_many(
        self, images: Iterable[AnySource]
    ) -> Iterator[tuple[AnySource, Prediction | ImageError]]:
        """Predict images in their order, while threads read and predict the next ones.

        Only a few images are held at a time, so that memory stays flat whatever their number; `images` may be
        a generator. An image that can't be used gives its `ImageError` in place of a prediction.
        """
        with opencv_in_one_thread() if self.at_once > 1 else nullcontext():
            yield from in_order(self._outcome, images, workers=self.at_once + 1)

    def turn_of(self, image: EncodedImage | np.ndarray) -> AbstractContextManager[object]:
        """To be entered with `with` before an image's pixels are read: large images wait for each other."""
        return self._turns.of(image.size if isinstance(image, EncodedImage) else image.shape[:2])

    def turn_of_file(self, source: Source) -> AbstractContextManager[object]:
        """To be entered with `with` before an image's file is read, if it is one: so do large files."""
        try:
            size = Path(source).stat().st_size if isinstance(source, str | Path) else 0
        except (OSError, ValueError):  # reading it says what is wrong
            size = 0
        return self._turns.of_file(size)

    def _outcome(self, image: Source) -> Prediction | ImageError:
        try:
            with self.turn_of_file(image):
                image = opened(image)
                with self.turn_of(image):
                    return self.predict(image)
        except ImageError as error:
            return error

    def _view(self, photograph: Photograph, view: str, box: Box | None) -> tuple[str, np.ndarray]:
        """The view that is possible, and what the classifier sees of the image in it."""
        if view == "crop" and box:
            return view, photograph.part(box, self._detail)
        return "full", photograph.pixels

    def _name(self, view: np.ndarray) -> _Answer:
        height, width, _ = self._classification.input_shape
        seen = resize(view, (height, width))
        answers = [self._classification(seen)]
        if self._looks_again(answers[0][0]):
            answers += [self._classification(flip) for flip in flips_of(seen)[1:]]
        logits, activation_map = averaged_over_flips(answers)
        probabilities = softmax(logits / self._calibration.temperature)
        return _Answer(
            dict(zip(self.bundle.classes, probabilities.tolist(), strict=True)),
            activation_map,
            logits,
            (answers[0][0], answers[0][1]),
        )

    def _looks_again(self, first: np.ndarray) -> bool:
        """Whether the flips of a view are looked at, too, after the first logits (C,)."""
        if self.tta is None and (again := self.bundle.second_look):
            return bool(is_unsure(first, self.bundle.temperature, again.below_confidence))
        return bool(self.tta)

    def _ood_score(self, seen: Seen) -> float:
        """Of the view as it is: averaging over flips tells images of other kinds no better."""
        if self.bundle.appearance:
            return self.bundle.appearance.score(appearance(seen, self.bundle.threshold))
        if self.bundle.ood:
            return float(self.bundle.ood.score(seen.logits, seen.activation_map))
        return math.nan

    def _notes(
        self, mask: np.ndarray, box: Box | None, view: str, answer: _Answer, ood_score: float
    ) -> Iterator[str]:
        if box is None:
            yield NO_LESION_TO_CROP if self.bundle.view == "crop" else NO_LESION
        if answer.probabilities[answer.diagnosis] < self._calibration.abstention_threshold:
            yield LOW_CONFIDENCE
        detector = self.bundle.appearance or self.bundle.ood
        if detector and ood_score < detector.threshold:
            yield UNLIKE_TRAINING
        if box is not None and touches_frame(mask):
            yield CUT_OFF
        if box is not None and view == "crop" and part_outside(mask, box) > MOST_OUTSIDE_CROP:
            yield OUTSIDE_CROP


def _name_of(source: object) -> str:
    return source.name if isinstance(source, EncodedImage) else "image"


def _check_choices(view: str, margin: float, box: Box | None, image_size: tuple[int, ...]) -> None:
    height, width = image_size
    if view not in VIEWS:
        raise ValueError(f"the view must be one of {', '.join(VIEWS)}, not {view}")
    if not 0 <= margin < math.inf:
        raise ValueError(f"the margin must be 0 or more, not {margin}")
    if box and not (0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height):
        raise ValueError(f"{box} is empty or not inside the image of {width} x {height} pixels")


def _malignant_probability(probabilities: dict[str, float], malignant: tuple[str, ...] = ()) -> float:
    groups = {name: malignancy(name, malignant) for name in probabilities}
    if all(group == "unknown" for group in groups.values()):
        return math.nan
    return min(1.0, math.fsum(probabilities[name] for name in groups if groups[name] == "malignant"))
