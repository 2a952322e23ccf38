"""A long `lesion predict` that is killed at random moments and resumed, beside one that nothing disturbs. Run by hand:

    python tests/benchmarks/killed_runs.py IMAGES 20000 --work /tmp/killed

IMAGES is a folder of real images. A folder of as many links to them is made, with one broken file among them; it is
predicted undisturbed, then again with `kill -9` of all its processes five times and `--resume` after each. Every file
of both results must be the same to the byte. Prints the figures, with the memory of each process; ends with status 1
where a file differs.
"""

import argparse
import filecmp
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from process_memory import MemoryWatch

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
BROKEN = "000003_broken.jpg"


def make_links(images: Path, count: int, folder: Path) -> int:
    """Links to a folder's images, over and over until there are enough; how many images are distinct."""
    paths = sorted(path for path in images.rglob("*") if path.suffix.lower() in SUFFIXES)
    folder.mkdir(parents=True)
    for number, path in zip(range(count), itertools.cycle(paths), strict=False):
        (folder / f"{number:06d}_{path.name}").symlink_to(path.resolve())
    (folder / BROKEN).write_bytes(b"no image")
    return min(count, len(paths))


def command(folder: Path, output: Path, options: list[str]) -> list[str]:
    words = ["-m", "pipeline", "predict", folder, "--output", output, "--no-pictures", *options]
    return [sys.executable, *map(str, words)]


def run(words: list[str], log: Path, kill_after: float | None = None) -> tuple[float, MemoryWatch, bool]:
    """Seconds, memory, and whether the command was killed; with `kill_after`, all its processes after these seconds."""
    start = time.perf_counter()
    with (
        log.open("ab") as said,
        subprocess.Popen(words, stdout=said, stderr=said, start_new_session=True) as process,
        MemoryWatch(process.pid) as memory,
    ):
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return time.perf_counter() - start, memory, process.returncode == -signal.SIGKILL


def different_files(one: Path, other: Path) -> list[str]:
    """Names of the files that two folders don't have alike."""
    names = {
        str(path.relative_to(folder))
        for folder in (one, other)
        for path in folder.rglob("*")
        if path.is_file()
    }
    _, differing, missing = filecmp.cmpfiles(one, other, sorted(names), shallow=False)
    return differing + missing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", default="", help="more options of predict, in one word")
    wanted = parser.parse_args()
    chance = random.Random(wanted.seed)
    links, options = wanted.work / "links", wanted.options.split()
    distinct = make_links(wanted.images, wanted.count, links)
    print(f"{wanted.count} links to {distinct} distinct images", flush=True)

    undisturbed = wanted.work / "undisturbed"
    seconds, memory, _ = run(command(links, undisturbed, options), wanted.work / "undisturbed.log")
    print(
        f"undisturbed: {seconds:.1f} s, {wanted.count / seconds:.1f} images/s",
        *memory.lines(),
        sep="\n  ",
        flush=True,
    )

    killed, log, kills, total = wanted.work / "killed", wanted.work / "killed.log", 0, 0.0
    for _ in range(wanted.kills):
        moment = chance.uniform(0.02, 1.6 / wanted.kills) * seconds
        took, _, was_killed = run(command(links, killed, [*options, "--resume"]), log, moment)
        kills += was_killed
        total += took
        print(
            f"killed after {took:.1f} s" if was_killed else f"ended by itself after {took:.1f} s", flush=True
        )
    took, memory, _ = run(command(links, killed, [*options, "--resume"]), log)
    print(
        f"last resumption: {took:.1f} s, all together {total + took:.1f} s",
        *memory.lines(),
        sep="\n  ",
        flush=True,
    )

    differing = different_files(undisturbed, killed)
    print(f"{kills} kills; files that differ: {', '.join(differing) or 'none'}")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
