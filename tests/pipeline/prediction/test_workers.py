"""Processes share out the images; what happens to one of them costs no other image."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from data.images import ImageError
from pipeline.prediction.cores import default_workers
from pipeline.prediction.sources import ImageFile
from pipeline.prediction.work import Task, predict_here
from pipeline.prediction.workers import WorkerSettings, predict_in_processes


@dataclass(frozen=True)
class Deadly:
    """An image whose reading ends the process."""

    name: Path

    def read(self):
        os._exit(7)


@dataclass(frozen=True)
class Failing:
    """An image whose reading fails in a way that nobody thought of."""

    name: Path
    error: Exception

    def read(self):
        raise self.error


@pytest.fixture
def discs(draw_disc, write_image, tmp_path) -> list[Path]:
    return [
        write_image(tmp_path / "photos" / f"{number}.png", draw_disc(radius=40 + number, size=(100, 130)))
        for number in range(20)
    ]


def test_processes_answer_as_one_does_and_in_order(pipeline, discs) -> None:
    tasks = [Task(ImageFile(path)) for path in discs]
    assert list(predict_in_processes(WorkerSettings(pipeline.bundle), tasks, 2)) == list(
        predict_here(pipeline, None, tasks)
    )


def test_an_image_that_ends_its_process_costs_only_itself(pipeline, discs) -> None:
    sources = [ImageFile(path) for path in discs]
    sources[3] = Deadly(Path("deadly.jpg"))
    results = list(predict_in_processes(WorkerSettings(pipeline.bundle), map(Task, sources), 1))
    assert [result.name for result in results if result.facts is None] == [Path("deadly.jpg")]
    assert results[3].error.startswith("deadly.jpg: predicting it ended the process")
    assert len(results) == len(sources)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImageError("x.jpg: is empty"), "x.jpg: is empty"),
        (OSError(5, "Input/output error"), "x.jpg: reading it failed (Input/output error); check the disk."),
        (
            ZeroDivisionError("by\nzero"),
            "x.jpg: can't be predicted (ZeroDivisionError by zero); convert the image.",
        ),
        (MemoryError(), "x.jpg: can't be predicted (MemoryError); convert the image."),
    ],
)
def test_no_error_of_an_image_ends_the_others(pipeline, discs, error, message) -> None:
    tasks = [Task(Failing(Path("x.jpg"), error)), Task(ImageFile(discs[0]))]
    failed, predicted = predict_here(pipeline, None, tasks)
    assert (failed.facts, failed.error) == (None, message)
    assert predicted.facts is not None


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are found in Linux's /proc")
def test_workers_end_when_their_parent_is_killed(bundle_folder, discs) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from pipeline.prediction.workers import WorkerSettings, predict_in_processes\n"
        "from pipeline.prediction.work import Task; from pipeline.prediction.sources import ImageFile\n"
        "from itertools import repeat; from pipeline.bundle.loading import load_bundle\n"
        "if __name__ == '__main__':\n"
        "    tasks = repeat(Task(ImageFile(Path(sys.argv[2]))))\n"
        "    for result in predict_in_processes(WorkerSettings(load_bundle(sys.argv[1])), tasks, 2):\n"
        "        print('one', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, bundle_folder, discs[0]], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout and process.stdout.readline() == b"one\n"
        workers = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
    assert len(workers) >= 2
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def descendants(parent: int) -> list[int]:
    children = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return children + [below for child in children for below in descendants(child)]


def alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_there_is_at_least_one_worker_and_no_more_than_cores() -> None:
    assert 1 <= default_workers() <= (os.cpu_count() or 1)
