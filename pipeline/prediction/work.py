"""The work on one image, in whatever thread, process or machine: read, predict, write its pictures."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from data.images import ImageError
from data.one_thread import opencv_in_one_thread
from pipeline.prediction.outputs import Facts
from pipeline.prediction.pictures import PictureFolder
from pipeline.prediction.predictor import LesionPipeline
from pipeline.prediction.reading import as_pixels, opened
from pipeline.prediction.sources import ImageSource
from pipeline.prediction.threads import in_order


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
    """

    name: Path
    files: str
    facts: Facts | None
    error: str = ""


def predict_task(pipeline: LesionPipeline, pictures: PictureFolder | None, task: Task) -> Result:
    """Predict one image and write its pictures.

    Whatever is wrong with the image, or goes wrong while it is read, is told in the result.

    Raises
    ------
    OSError
        If a picture can't be written.
    """
    name = task.source.name
    try:
        image = opened(task.source.read())
        with pipeline.turn_of(image):
            prediction = pipeline.predict(image)
            pixels = as_pixels(image) if pictures else None
    except ImageError as error:
        return Result(name, task.files, None, str(error))
    except OSError as error:
        reason = error.strerror or str(error)
        return Result(name, task.files, None, f"{name}: reading it failed ({reason}); check the disk.")
    except Exception as error:  # one image never ends the work on the others
        reason = " ".join(f"{type(error).__name__} {error}".split())
        return Result(name, task.files, None, f"{name}: can't be predicted ({reason}); convert the image.")
    if pictures and pixels is not None:
        pictures.write(task.files, pixels, prediction)
    return Result(name, task.files, prediction.to_dict())


def predict_here(
    pipeline: LesionPipeline, pictures: PictureFolder | None, tasks: Iterable[Task]
) -> Iterator[Result]:
    """The results of tasks in their order, worked on in threads of this process; few are held at a time."""
    threads = pipeline.at_once + (2 if pictures else 1)
    with opencv_in_one_thread() if pipeline.at_once > 1 else nullcontext():
        for _, result in in_order(lambda task: predict_task(pipeline, pictures, task), tasks, threads):
            yield result
