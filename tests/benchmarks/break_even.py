"""From how many images on Ray pays: one machine against `pipeline.scale` on the same machine. Run by hand, with the
extra `scale`, where nothing else runs:

    python tests/benchmarks/break_even.py IMAGES 1000 5000 --work /tmp/break_even

Whole processes over links to as many images: `lesion predict --format parquet` and `python -m pipeline.scale`. Two
numbers of images give a fixed cost and a cost an image of each. On m machines like this one Ray's cost an image is
taken to be an m-th, and its fixed cost the same, which flatters it. Prints from how many images on Ray is then faster.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from linked_images import make_links, predict_command

MACHINES = (1, 2, 4, 10)


class Cost(NamedTuple):
    """Seconds: what a run takes whatever it predicts, and what an image adds."""

    fixed: float
    image: float


def seconds(words: list[str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:  # 1: the broken file
        sys.exit(done.stderr)
    return time.perf_counter() - start


def cost(fewer: int, more: int, took: list[float]) -> Cost:
    image = (took[1] - took[0]) / (more - fewer)
    return Cost(took[0] - fewer * image, image)


def break_even(one: Cost, cluster: Cost, machines: int) -> str:
    """From how many images on a cluster of so many machines is faster than one machine without it."""
    gained = one.image - cluster.image / machines
    return f"{max(0.0, (cluster.fixed - one.fixed) / gained):,.0f}" if gained > 0 else "never"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("fewer", type=int)
    parser.add_argument("more", type=int)
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    wanted = parser.parse_args()
    ways: dict[str, list[float]] = {"lesion predict": [], "pipeline.scale": []}
    for count in (wanted.fewer, wanted.more):
        work = wanted.work.absolute() / str(count)
        make_links(wanted.images, count, work / "links")
        plainly = predict_command(work / "links", work / "plain", "--format", "parquet")
        on_ray = [sys.executable, "-m", "pipeline.scale", str(work / "links"), str(work / "ray")]
        for (way, took), words in zip(ways.items(), (plainly, on_ray), strict=True):
            took.append(seconds(words))
            print(f"{count} images, {way}: {took[-1]:.1f} s", flush=True)
    costs = [cost(wanted.fewer, wanted.more, took) for took in ways.values()]
    for way, (fixed, image) in zip(ways, costs, strict=True):
        print(f"{way}: {fixed:.1f} s and {1000 * image:.2f} ms an image")
    for machines in MACHINES:
        print(f"Ray on {machines}: from {break_even(*costs, machines)} images on")


if __name__ == "__main__":
    main()
