"""How the work divides over processes, also over more of them than there are cores. Run by hand:

    python tests/benchmarks/dividing.py IMAGES 2000 --work /tmp/dividing

Links to as many images of a folder are predicted by the engine of `lesion predict --workers N`, for each N in a process
of its own. Every image says which process worked on it. Prints for each N the images and the processor time of each
process, what an image took of it in all, and the memory; ends with status 1 where results differ between the numbers.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linked_images import make_links
from process_memory import MEGABYTE, MemoryWatch

from pipeline import LesionPipeline
from pipeline.bundle.loading import load_bundle
from pipeline.prediction.predictor import Prediction
from pipeline.prediction.running import Engine
from pipeline.prediction.sources import ImageSource, stream_sources
from pipeline.prediction.work import Task

NUMBERS = (1, 2, 4, 16)


@dataclass(frozen=True)
class TellProcess:
    """Says of every image which process worked on it."""

    def write(
        self, name: str, source: ImageSource, prediction: Prediction, pipeline: LesionPipeline
    ) -> dict[str, Any]:
        return {"process": os.getpid()}


def processor_seconds_of_all() -> float:
    """Of this process and its children that have ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def measure(folder: Path, workers: int) -> dict[str, Any]:
    """Predict a folder in so many processes, and tell what each did."""
    engine = Engine(load_bundle(), workers=workers)
    tasks = (Task(source) for source in stream_sources([folder], None, lambda _: None))
    spent, start = processor_seconds_of_all(), time.perf_counter()
    with MemoryWatch(os.getpid()) as memory:
        results = list(engine.results(tasks, companion=TellProcess()))
    seconds = time.perf_counter() - start
    images = Counter(result.also["process"] for result in results if result.facts)
    return {
        "seconds": seconds,
        "milliseconds": 1000 * (processor_seconds_of_all() - spent) / len(results),
        "images": list(images.values()),
        "processor": [memory.spent[process] for process in images],
        "peaks": [memory.peak(process) / MEGABYTE for process in images],
        "results": [[result.name.name, result.facts, result.error] for result in results],
    }


def span(values: list[float], digits: int = 0) -> str:
    low, high = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low}-{high}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--workers", type=int, help="measure this number alone, over the links that are there"
    )
    wanted = parser.parse_args()
    links = wanted.work / "links"
    if wanted.workers:
        json.dump(measure(links, wanted.workers), sys.stdout)
        return
    make_links(wanted.images, wanted.count, links)
    print(
        "| processes | images each | processor s each | processor ms an image, all | peak MB each | images/s |"
    )
    print("|---|---|---|---|---|---|")
    first, alike = None, True
    for workers in NUMBERS:
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--workers", str(workers)],
            capture_output=True,
            check=True,
        )
        found = json.loads(done.stdout)
        first = first or found["results"]
        alike &= found["results"] == first
        cells = [
            str(workers),
            span(found["images"]),
            span(found["processor"], 1),
            f"{found['milliseconds']:.1f}",
            span(found["peaks"]),
            f"{wanted.count / found['seconds']:.0f}",
        ]
        print("|", " | ".join(cells), "|", flush=True)
    print("results:", "the same" if alike else "NOT the same")
    sys.exit(not alike)


if __name__ == "__main__":
    main()
