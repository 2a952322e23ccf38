"""A run of predictions: which images it has to do, and how many processes do them."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from pipeline.bundle.loading import Bundle
from pipeline.prediction.cores import default_workers
from pipeline.prediction.naming import FileNames
from pipeline.prediction.predictor import LesionPipeline
from pipeline.prediction.sharding import Shard
from pipeline.prediction.sources import ImageSource
from pipeline.prediction.work import Companion, Result, Task, predict_here

if TYPE_CHECKING:  # one image that is printed need not wait for what writes files or starts processes
    from pipeline.prediction.pictures import PictureFolder
    from pipeline.prediction.results import ResultsFolder

# Images that one process predicts at the same time; each of them takes the models' memory once more.
MOST_AT_ONCE = 2

# Fewer images than these are done before more processes have started.
FEW_IMAGES = 200


@dataclass(frozen=True)
class Engine:
    """How images are predicted.

    Attributes
    ----------
    bundle : Bundle
    tta : bool, optional
        As `LesionPipeline.load` takes it.
    threads : int, optional
        For one inference; by default one a core where one process works, and one where several do.
    workers : int, optional
        Processes; by default one a core for `FEW_IMAGES` or more, else one.
    """

    bundle: Bundle
    tta: bool | None = None
    threads: int | None = None
    workers: int | None = None

    def results(
        self,
        tasks: Iterable[Task],
        pictures: "PictureFolder | None" = None,
        companion: Companion | None = None,
    ) -> Generator[Result]:
        """Predict in as many processes as suit, and yield the results in the tasks' order.

        Raises
        ------
        BundleError
            If the bundle's models can't be used.
        WorkerError
            If a process can't be started.
        OSError
            If what is kept of an image can't be written.
        """
        remaining = iter(tasks)
        first = list(islice(remaining, FEW_IMAGES))
        every = chain(first, remaining)
        workers = self.workers or (default_workers() if len(first) == FEW_IMAGES else 1)
        if workers > 1:
            from pipeline.prediction.workers import WorkerSettings, predict_in_processes  # noqa: PLC0415

            settings = WorkerSettings(self.bundle, self.tta, self.threads or 1, pictures, companion)
            yield from predict_in_processes(settings, every, workers)
        elif first:
            at_once = min(MOST_AT_ONCE, len(first))
            pipeline = LesionPipeline.load(self.bundle, self.threads, tta=self.tta, at_once=at_once)
            yield from predict_here(pipeline, pictures, every, companion)


def tasks_of(
    sources: Iterable[ImageSource], shard: Shard, results: "ResultsFolder | None", named: bool
) -> Iterator[Task]:
    """The images of a shard that are not done yet.

    Parameters
    ----------
    sources : iterable of ImageSource
        All images, those of other shards too.
    shard : Shard
    results : ResultsFolder, optional
        What is done.
    named : bool
        Whether each gets a name for its files. It follows from all images before it, in whatever shard or run.
    """
    names = FileNames() if named else None
    for source in sources:
        files = names.choose(source.name) if names else ""
        if shard.holds(source.name) and not (results and results.is_done(source.name)):
            yield Task(source, files)
