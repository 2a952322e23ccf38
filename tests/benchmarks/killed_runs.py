"""A long `lesion predict` that is killed at random moments and resumed, beside one that nothing disturbs. Run by hand:

    python tests/benchmarks/killed_runs.py IMAGES 20000 --work /tmp/killed

IMAGES is a folder of real images. A folder of as many links to them is made, with one broken file among them; it is
predicted undisturbed, then again with `kill -9` of all its processes five times and `--resume` after each. A kill comes
when a random number of rows is written, so that all of them come however fast the machine is. Every
file of both results must be the same to the byte. Prints the figures, with the memory of each process; ends with status
1 where a file differs or a kill came too late. What is undisturbed in the work folder from an earlier call is taken.
"""

import argparse
import filecmp
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from linked_images import make_links, predict_command
from process_memory import MemoryWatch

LOOK_EVERY = 0.1  # seconds
LAST_KILL = 0.95  # of the rows, at most


def rows_written(output: Path) -> int:
    """Rows of the table so far, whichever format it has."""
    table = output / "predictions.csv"
    if table.exists():
        return max(0, table.read_bytes().count(b"\n") - 1)
    return sum(pq.read_metadata(path).num_rows for path in output.glob("predictions/*.parquet"))


def run(
    words: list[str], log: Path, until: Callable[[], bool] | None = None
) -> tuple[float, MemoryWatch, bool]:
    """Seconds, memory, and whether the command was killed: all its processes, once `until` is so."""
    start = time.perf_counter()
    with (
        log.open("ab") as said,
        subprocess.Popen(words, stdout=said, stderr=said, process_group=0) as process,
        MemoryWatch(process.pid) as memory,
    ):
        while until and process.poll() is None:
            if until():
                os.killpg(process.pid, signal.SIGKILL)
                break
            time.sleep(LOOK_EVERY)
        process.wait()
    return time.perf_counter() - start, memory, process.returncode == -signal.SIGKILL


def run_and_kill(words: list[str], output: Path, log: Path, rows: int) -> tuple[float, bool]:
    """Seconds, and whether the run was killed, once it had written so many rows."""
    before = rows_written(output)
    seconds, _, killed = run(words, log, lambda: rows_written(output) >= rows)
    what = "killed" if killed else "ended by itself"
    print(
        f"{what} after {seconds:.1f} s, with {rows_written(output)} rows, {before} at its start", flush=True
    )
    return seconds, killed


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
    parser.add_argument("--kills", type=int, default=5, help="0: only the undisturbed run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", default="", help="more options of predict, in one word")
    wanted = parser.parse_args()
    chance = random.Random(wanted.seed)
    links, options = wanted.work / "links", wanted.options.split()
    undisturbed = wanted.work / "undisturbed"
    if not undisturbed.exists():
        distinct = make_links(wanted.images, wanted.count, links)
        print(f"{wanted.count} links to {distinct} distinct images", flush=True)
        words = predict_command(links, undisturbed, *options)
        seconds, memory, _ = run(words, wanted.work / "undisturbed.log")
        told = f"undisturbed: {seconds:.1f} s, {wanted.count / seconds:.1f} images/s"
        print(told, *memory.lines(), sep="\n  ", flush=True)
        if wanted.kills == 0:
            return

    killed, log = wanted.work / "killed", wanted.work / "killed.log"
    words = predict_command(links, killed, *options, "--resume")
    runs = [
        run_and_kill(words, killed, log, rows)
        for rows in sorted(chance.randrange(int(LAST_KILL * wanted.count)) for _ in range(wanted.kills))
    ]
    took, memory, _ = run(words, log)
    total = took + sum(each for each, _ in runs)
    told = f"last resumption: {took:.1f} s, all together {total:.1f} s"
    print(told, *memory.lines(), sep="\n  ", flush=True)

    kills = sum(was_killed for _, was_killed in runs)
    differing = different_files(undisturbed, killed)
    print(f"{kills} kills; files that differ: {', '.join(differing) or 'none'}")
    sys.exit(bool(differing) or kills < wanted.kills)


if __name__ == "__main__":
    main()
