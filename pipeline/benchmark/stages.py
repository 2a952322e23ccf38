"""The time of each stage, for one image after the other in this process."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import Bundle
from pipeline.prediction.predictor import LesionPipeline
from pipeline.prediction.reading import as_pixels

STAGES = ("decode", "segment", "crop", "classify", "rest")
WARM_UP = 10


class TimedModel(LiteRTModel):
    """A model that remembers when it was first called and last finished."""

    started = ended = 0.0

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        self.started = self.started or time.perf_counter()
        outputs = super().__call__(image)
        self.ended = time.perf_counter()
        return outputs


class StageTimer:
    """Predicts images and tells how long each stage took.

    Parameters
    ----------
    bundle : Bundle
    threads : int, optional
        As `LesionPipeline.load` takes it.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        self._segmentation = TimedModel(bundle.segmentation_path, threads)
        self._classification = TimedModel(bundle.classification_path, threads)
        self._pipeline = LesionPipeline(bundle, self._segmentation, self._classification)

    def __call__(self, content: bytes) -> dict[str, float]:
        """Seconds by stage, from the bytes of an image file to the prediction.

        `segment` goes from the pixels to the lesion's probability, `crop` on to the box and what the classifier is
        shown, `classify` on to its logits, and `rest` to the finished prediction.
        """
        self._segmentation.started = self._classification.started = 0.0
        start = time.perf_counter()
        pixels = as_pixels(content)
        decoded = time.perf_counter()
        self._pipeline.predict(pixels)
        moments = (
            start,
            decoded,
            self._segmentation.ended,
            self._classification.started,
            self._classification.ended,
            time.perf_counter(),
        )
        return {stage: end - begin for stage, (begin, end) in zip(STAGES, pairwise(moments), strict=True)}


def time_images(
    timer: Callable[[bytes], dict[str, float]], contents: Sequence[bytes], count: int
) -> list[dict[str, float]]:
    """Seconds by stage of `count` images, the contents taking turns, after a few that don't count."""
    for content in _in_turns(contents, WARM_UP):
        timer(content)
    return [timer(content) for content in _in_turns(contents, count)]


def _in_turns(contents: Sequence[bytes], count: int) -> Iterable[bytes]:
    return (contents[number % len(contents)] for number in range(count))
