"""The work on one image, in whatever thread, process or machine: read, predict, write its pictures."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from data.images import ImageError
from data.one_thread import opencv_in_one_thread
from pipeline.prediction.predictor import LesionPipeline, Prediction
from pipeline.prediction.reading import as_pixels, opened
from pipeline.prediction.sources import ImageSource
from pipeline.prediction.threads import in_order

if TYPE_CHECKING:  # one image that is printed need not wait for what writes files
    from pipeline.prediction.outputs import Facts
    from pipeline.prediction.pictures import PictureFolder


@dataclass(frozen=True)
class Task:
    """An image to predict, and the name of the files that are written for it."""

    source: ImageSource
    files: str = ""


@dataclass(frozen=True)
class Result:
    """What came out for one image, small enough to be sent and written.

    Attributes
    ----------
    name : Path
        The image's.
    files : str
        The name of the files that were written for it.
    facts : dict or None
        As `Prediction.to_dict`; None where the image could not be used.
    error : str
        Why it could not be used, in one sentence.
    also : dict
        What a companion said of it.
    """

    name: Path
    files: str
    facts: "Facts | None"
    error: str = ""
    also: "Facts" = field(default_factory=dict)


class Companion(Protocol):
    """Writes results of another kind for an image. Small, and to be sent to another process."""

    def write(
        self, name: str, source: ImageSource, prediction: Prediction, pipeline: LesionPipeline
    ) -> "Facts":
        """Write what there is for an image, and return what else there is to say of it.

        Raises
        ------
        ImageError
            If there can be no results.
        OSError
            If they can't be written.
        """


def predict_task(
    pipeline: LesionPipeline, pictures: "PictureFolder | None", task: Task, companion: Companion | None = None
) -> Result:
    """Predict one image and write its pictures, and what a companion writes of it.

    Whatever is wrong with the image, or goes wrong while it is read, is told in the result.

    Raises
    ------
    OSError
        If that can't be written.
    """
    with ExitStack() as turns:  # a large image's memory is free again only where its pictures are written
        try:
            source = task.source.read()
            turns.enter_context(pipeline.turn_of_file(source))
            image = opened(source)
            turns.enter_context(pipeline.turn_of(image))
            prediction = pipeline.predict(image)
            pixels = as_pixels(image) if pictures else None
        except Exception as error:  # one image never ends the work on the others
            return _failed(task, error)
        if pictures and pixels is not None:
            pictures.write(task.files, pixels, prediction)
        try:
            also = companion.write(task.files, task.source, prediction, pipeline) if companion else {}
        except ImageError as error:
            return _failed(task, error)
        return Result(task.source.name, task.files, prediction.to_dict(), also=also)


def _failed(task: Task, error: Exception) -> Result:
    name = task.source.name
    if isinstance(error, ImageError):
        said = str(error)
    elif isinstance(error, OSError):
        said = f"{name}: reading it failed ({error.strerror or error}); check the disk."
    else:
        reason = " ".join(f"{type(error).__name__} {error}".split())
        said = f"{name}: can't be predicted ({reason}); convert the image."
    return Result(name, task.files, None, said)


def predict_here(
    pipeline: LesionPipeline,
    pictures: "PictureFolder | None",
    tasks: Iterable[Task],
    companion: Companion | None = None,
) -> Iterator[Result]:
    """The results of tasks in their order, worked on in threads of this process; few are held at a time."""
    threads = pipeline.at_once + (2 if pictures or companion else 1)
    with opencv_in_one_thread() if pipeline.at_once > 1 else nullcontext():
        for _, result in in_order(
            lambda task: predict_task(pipeline, pictures, task, companion), tasks, threads
        ):
            yield result
