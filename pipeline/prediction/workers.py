"""Predicting in several processes, with the results in the images' order."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait
from pathlib import Path

import cv2

from pipeline.bundle.loading import Bundle
from pipeline.prediction.errors import WorkerError
from pipeline.prediction.pictures import PictureFolder
from pipeline.prediction.predictor import LesionPipeline
from pipeline.prediction.work import Companion, Result, Task, predict_task

# Sent to a process together, so that sending costs little beside predicting.
IMAGES_A_CHUNK = 8
CHUNKS_AHEAD = 4


@dataclass(frozen=True)
class WorkerSettings:
    """What every process does with its images.

    Attributes
    ----------
    bundle : Bundle
    tta : bool, optional
        As `LesionPipeline.load` takes it.
    threads : int
        Threads for one inference.
    pictures : PictureFolder, optional
        Where pictures are written.
    companion : Companion, optional
        What else is written.
    """

    bundle: Bundle
    tta: bool | None = None
    threads: int = 1
    pictures: PictureFolder | None = None
    companion: Companion | None = None


def predict_in_processes(settings: WorkerSettings, tasks: Iterable[Task], count: int) -> Iterator[Result]:
    """Predict in `count` processes, each with models of its own.

    An image that ends its process, by a crash or because memory ran out, is tried once more alone; ending that process,
    too, it is a failed image, and the others go on.

    Parameters
    ----------
    settings : WorkerSettings
    tasks : iterable of Task
        Taken as the work goes on; it may be a generator. At most `CHUNKS_AHEAD` chunks a process are under way.
    count : int

    Yields
    ------
    The results in the order of the tasks.

    Raises
    ------
    WorkerError
        If a process can't be started.
    OSError
        If a picture can't be written.
    """
    remaining = iter(tasks)
    pending: deque[tuple[_Worker, list[Task], Future[list[Result]]]] = deque()

    def load(worker: _Worker) -> int:
        return sum(other is worker and not future.done() for other, _, future in pending)

    with ExitStack() as stack:
        workers = [stack.enter_context(closing(_Worker(settings))) for _ in range(count)]
        while True:
            while len(pending) < CHUNKS_AHEAD * count and (chunk := list(islice(remaining, IMAGES_A_CHUNK))):
                worker = min(workers, key=load)
                pending.append((worker, chunk, worker.submit(chunk)))
            if not pending:
                return
            worker, chunk, future = pending.popleft()
            yield from worker.results(chunk, future)


class _Worker:
    """One process, which is started again when it ends too early."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._pool = self._start()

    def submit(self, chunk: Sequence[Task]) -> "Future[list[Result]]":
        try:
            return self._pool.submit(_predict, chunk)
        except BrokenProcessPool as error:
            broken: Future[list[Result]] = Future()
            broken.set_exception(error)
            return broken

    def results(self, chunk: Sequence[Task], future: "Future[list[Result]]") -> list[Result]:
        try:
            return future.result()
        except BrokenProcessPool:
            return [self._alone(task) for task in chunk]

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _alone(self, task: Task) -> Result:
        try:
            return self._living_pool().submit(_predict, [task]).result()[0]
        except BrokenProcessPool:
            name = task.source.name
            error = f"{name}: predicting it ended the process; save the image anew, or free or add memory."
            return Result(name, task.files, None, error)

    def _living_pool(self) -> ProcessPoolExecutor:
        try:
            self._pool.submit(os.getpid).result()
        except BrokenProcessPool:
            self.close()
            self._pool = self._start()
            try:
                self._pool.submit(os.getpid).result()
            except BrokenProcessPool:
                raise WorkerError(
                    "a process for predicting can't be started; give fewer --workers, or free memory."
                ) from None
        return self._pool

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context(
            "spawn"
        )  # forking beside LiteRT's and OpenCV's threads is unsafe
        return ProcessPoolExecutor(1, context, initializer=_set_up, initargs=(self._settings,))


class _Process:
    """What the process of a worker holds: an executor's tasks find it nowhere else than in the module."""

    settings: WorkerSettings
    pipeline: LesionPipeline


def _set_up(settings: WorkerSettings) -> None:
    _end_with_parent()
    cv2.setNumThreads(1)  # the processes keep the cores busy
    _Process.settings = settings
    _Process.pipeline = LesionPipeline.load(settings.bundle, settings.threads, tta=settings.tta)


def _predict(chunk: Sequence[Task]) -> list[Result]:
    settings = _Process.settings
    return [predict_task(_Process.pipeline, settings.pictures, task, settings.companion) for task in chunk]


def _end_with_parent() -> None:
    """Leave Ctrl-C and a wish to end to the parent, which tells its workers; end cleanly when it was killed."""
    orphaned = threading.Event()

    def end(*_: object) -> None:
        if orphaned.is_set():
            raise SystemExit(1)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
    parent, main_thread = multiprocessing.parent_process(), threading.main_thread()

    def watch() -> None:
        if parent is None or main_thread.ident is None:
            return
        wait([parent.sentinel])
        with Path(os.devnull).open("wb") as nowhere:  # nobody is there to be told how this process ends
            os.dup2(nowhere.fileno(), 2)
        orphaned.set()
        for _ in range(50 if hasattr(signal, "pthread_kill") else 0):
            signal.pthread_kill(
                main_thread.ident, signal.SIGTERM
            )  # the pool's code takes the first as a task's error
            time.sleep(0.1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
