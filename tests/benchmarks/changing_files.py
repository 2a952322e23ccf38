"""Remove, cut and replace images while `lesion predict` reads their folder, and count what is lost or wrong.

Every image must have a row or a failure. A file that is replaced gets the bytes of another of the images, so that every
row must be that of a sound image as an undisturbed run answers it; a row of anything else is a silent wrong answer.

Run: python tests/benchmarks/changing_files.py [--images 150] [--rounds 5] [--seed 0]
"""

import argparse
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HARMS = ("remove", "cut", "replace", "make a folder of it")
EVERY = 0.01  # seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        drawing = ("dataset", "synthesize", work / "drawn", "--count", chosen.images, "--seed", chosen.seed)
        lesion(*drawing).communicate()
        originals = sorted((work / "drawn" / "images").iterdir())
        predict(originals[0].parent, work / "sound").communicate()
        sound = set(answers(work / "sound").values())
        counts = Counter(
            disturbed(originals, work / str(number), rng, sound) for number in range(chosen.rounds)
        )
    for verdict, count in counts.items():
        print(f"{count} of {chosen.rounds} rounds: {verdict}")


def lesion(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def predict(images: Path, output: Path) -> subprocess.Popen[str]:
    return lesion("predict", images, "--output", output, "--no-pictures")


def answers(folder: Path) -> dict[str, tuple[str, ...]]:
    """Each image's row of `predictions.csv` without its name."""
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return {row[0]: tuple(row[1:]) for row in list(csv.reader(file))[1:]}


def disturbed(originals: list[Path], work: Path, rng: random.Random, sound: set[tuple[str, ...]]) -> str:
    """Predict a copy of the images while they are harmed; what was wrong, or that nothing was."""
    shutil.copytree(originals[0].parent, work / "images")
    files = sorted((work / "images").iterdir())
    process = predict(work / "images", work / "results")
    while process.poll() is None:
        if (work / "results" / "predictions.csv").exists():
            harm(rng.choice(files), rng.choice(HARMS), rng.choice(originals))
        time.sleep(EVERY)
    _, said = process.communicate()
    rows = answers(work / "results")
    failures = work / "results" / "failures.csv"
    failed = failures.read_text(encoding="utf-8").count("\n") - 1 if failures.exists() else 0
    print(
        f"{len(files)} images: {len(rows)} rows, {failed} failures, status {process.returncode}", flush=True
    )
    if "Traceback" in said:
        return "a traceback"
    if len(rows) + failed != len(files):
        return "images without a row and a failure"
    if not set(rows.values()) <= sound:
        return "rows that are of no sound image"
    return "nothing lost, nothing wrong"


def harm(file: Path, how: str, other: Path) -> None:
    """Do to a file what may happen to it; to one that is gone or a folder already, nothing."""
    try:
        if how == "remove":
            file.unlink()
        elif how == "cut":
            os.truncate(file, file.stat().st_size // 2)
        elif how == "replace":
            file.write_bytes(other.read_bytes())
        else:
            file.unlink()
            file.mkdir()
    except OSError:
        return


if __name__ == "__main__":
    main()
