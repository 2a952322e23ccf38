"""Kill trainings, exports and comparisons at random moments, and count what a resume does not bring back.

    python tests/benchmarks/bad_moments.py --kills 20 --seed 0
    python tests/benchmarks/bad_moments.py --only places       # full disk (as root), read-only, no home, no network

Everything is small: drawn images, inputs of 32 pixels, one process after the other. A killed command is given again,
with --resume where it is a training, until it ends; then its weights, figures and files must be those of the command
that nobody disturbed. Times of day and speeds are not compared. Each line is one case; the last ones count them.
"""

import argparse
import hashlib
import importlib.util
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from pipeline.cli import main as main_of_lesion
from pipeline.comparison import running  # noqa: F401 - so that no command has to load its libraries
from pipeline.export import exporting  # noqa: F401

ROOT = Path(__file__).parents[2]
IMAGES = 40
RANDOM = ("--encoder-weights", "none", "--augmentation", "light", "--batch-size", "8")
UNET = ("--input-size", "32", "64", "--small-size", "32", "32", "--small-epochs", "2", "--full-epochs", "2")
CLASSIFIER = (
    *("--input-side", "64", "--small-side", "32", "--width", "0.35", "--boxes", "reference"),
    *("--head-epochs", "1", "--small-epochs", "1", "--full-epochs", "2"),
)
COMPARISON = (
    *("--arms", "full,crop", "--seeds", "1", "--masks", "bundle", "--no-robustness", "--resamples", "100"),
    *("--encoder-weights", "none", "--input-side", "32", "--small-side", "32"),
    *("--head-epochs", "1", "--small-epochs", "1", "--full-epochs", "1"),
)
CHANGING = (
    "seconds",
    "images_per_second",
    "cores",
    "training_seconds",
    "created",
    "command",
    "facts",
    "sha256",
)


def lesion(*arguments: object, kill_after: float | None = None) -> subprocess.CompletedProcess:
    """Run the command in a fork of this process; see `forked`."""

    def command() -> None:
        sys.argv = ["lesion", *map(str, arguments)]
        main_of_lesion()

    return forked(command, kill_after)


def forked(work: Callable[[], object], kill_after: float | None = None) -> subprocess.CompletedProcess:
    """Do the work in a fork of this process, which has TensorFlow loaded and has not used it.

    It ends with SIGKILL after so many seconds where that is given.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _become(work, output.fileno(), errors.fileno())
        end = math.inf if kill_after is None else time.monotonic() + kill_after
        while not (waited := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.02)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    return subprocess.CompletedProcess([], os.waitstatus_to_exitcode(waited[1]), *texts)


def _become(work: Callable[[], object], output: int, errors: int) -> None:
    """Let this process do the work, and end with it."""
    os.dup2(output, 1)
    os.dup2(errors, 2)
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
    status = 1
    try:
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def weights_of(model: Path) -> str:
    """Hash of the weights in a `.keras` file; its metadata holds the time of day."""
    with zipfile.ZipFile(model) as archive, tempfile.NamedTemporaryFile(suffix=".h5") as file:
        Path(file.name).write_bytes(archive.read("model.weights.h5"))
        import h5py  # noqa: PLC0415 - only here

        digest = hashlib.sha256()
        with h5py.File(file.name) as weights:
            for name in sorted(_datasets(weights)):
                digest.update(name.encode() + weights[name][()].tobytes())
    return digest.hexdigest()


def _datasets(group) -> list[str]:
    names: list[str] = []
    group.visititems(lambda name, item: names.append(name) if hasattr(item, "dtype") else None)
    return [name for name in names if not name.startswith("optimizer")]


def stripped(value):
    """JSON without what differs from run to run."""
    if isinstance(value, dict):
        return {key: stripped(each) for key, each in value.items() if not key.endswith(CHANGING)}
    return [stripped(each) for each in value] if isinstance(value, list) else value


def run_state(folder: Path) -> dict:
    metrics = json.loads((folder / "metrics.json").read_text())
    return {"weights": weights_of(folder / "model.keras"), "metrics": stripped(metrics)}


def bundle_state(folder: Path) -> dict:
    models = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.tflite")}
    return {"models": models, "manifest": stripped(json.loads((folder / "bundle.json").read_text()))}


def comparison_state(folder: Path) -> dict:
    return {"table": (folder / "predictions.csv").read_text()}


def leftovers(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*"))


class Case:
    """A command that writes a folder, and what of the folder must be the same whatever happened on the way."""

    def __init__(
        self, name: str, arguments: tuple[object, ...], state: Callable[[Path], dict], resume: bool = False
    ) -> None:
        self.name, self.arguments, self.state, self.resume = name, arguments, state, resume

    def run(self, folder: Path, *, again: bool = False, kill_after: float | None = None):
        resume = ("--resume",) if again and self.resume else ()
        return lesion(*self.arguments, "--output", folder, *resume, kill_after=kill_after)


class Engine(Case):
    """The training engine alone, on the tests' smallest network: many kills in little time."""

    def __init__(self) -> None:
        super().__init__("engine", (), lambda folder: {"weights": weights_of(folder / "model.keras")})
        path = ROOT / "tests" / "segmentation" / "engine" / "test_fitting.py"
        specification = importlib.util.spec_from_file_location("test_fitting", path)
        assert specification and specification.loader
        self.tests = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(self.tests)

    def run(self, folder: Path, *, again: bool = False, kill_after: float | None = None):
        return forked(lambda: self.tests.train_noisily(folder), kill_after)


def disturb(case: Case, work: Path, kills: int, rng: random.Random) -> Counter:
    """Kill the command at random moments of its time, `kills` times over, and count how the resumes ended."""
    start = time.monotonic()
    undisturbed = work / f"{case.name}-undisturbed"
    ended = case.run(undisturbed)
    if ended.returncode:
        sys.exit(f"{case.name} fails undisturbed: {ended.stderr}")
    seconds, expected = time.monotonic() - start, case.state(undisturbed)
    counts: Counter = Counter()
    for number in range(kills):
        place = work / f"{case.name}-{number}"
        folder = place / undisturbed.name
        moments = [rng.uniform(0.25, 1.0) * seconds for _ in range(rng.choice((1, 1, 2)))]
        for again, moment in enumerate(moments):
            case.run(folder, again=again > 0, kill_after=moment)
        verdict = _verdict(case, folder, expected)
        counts[verdict] += 1
        print(
            f"{case.name} {number}: killed after {', '.join(f'{moment:.1f}' for moment in moments)} s: {verdict}"
        )
        shutil.rmtree(place, ignore_errors=True)
    return counts


def _verdict(case: Case, folder: Path, expected: dict) -> str:
    ended = case.run(folder, again=True)
    if "Traceback" in ended.stderr:
        return f"traceback: {ended.stderr.strip().splitlines()[-1]}"
    if ended.returncode:
        return f"refused: {ended.stderr.strip().splitlines()[-1]}"
    if leftovers(folder.parent):
        return f"left {leftovers(folder.parent)[0]}"
    return "the same" if case.state(folder) == expected else "differs"


@contextmanager
def full_disk(megabytes: float) -> Iterator[Path | None]:
    """A file system of that size; None where this user may mount none."""
    place = Path(tempfile.mkdtemp())
    size = f"size={int(megabytes * 2**20)}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", place], check=False, capture_output=True
    )
    try:
        yield None if mounted.returncode else place
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", "-l", place], check=False)
        place.rmdir()


def bad_places(cases: list[Case], dataset: Path, sizes: list[float]) -> Counter:
    """Run every command where it can't write, and count the ends: one sentence and status 2 is what is wanted."""
    counts: Counter = Counter()
    for case in cases:
        for megabytes in sizes:
            with full_disk(megabytes) as place:
                if place is None:
                    print("full disk: not tried, it takes root")
                    continue
                _count(counts, f"{case.name} with {megabytes} MB", case.run(place / "output"))
        _count(counts, f"{case.name} under /proc", case.run(Path("/proc/output")))
    arguments = ("train", "segmentation", dataset, *UNET, "--output")
    with tempfile.TemporaryDirectory() as folder:
        home = {"HOME": "/nonexistent", "KERAS_HOME": f"{folder}/keras"}
        no_network = [
            "unshare",
            "-rn",
            sys.executable,
            "-m",
            "pipeline.cli",
            *map(str, arguments),
            f"{folder}/run",
        ]
        environment = {**os.environ, **home, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        ended = subprocess.run(no_network, env=environment, capture_output=True, text=True, check=False)
        _count(counts, "the default weights without a network", ended)
        command = [sys.executable, "-m", "pipeline.cli", "predict", dataset / "images"]
        ended = subprocess.run(command, env=environment, capture_output=True, check=False)
        counts["predicts without a home" if ended.returncode == 0 else "fails without a home"] += 1
    return counts


def _count(counts: Counter, what: str, ended: subprocess.CompletedProcess) -> None:
    said = (ended.stderr.strip().splitlines() or [""])[-1]
    if ended.returncode == 0:
        verdict = "had room enough"
    elif ended.returncode < 0:
        verdict = f"signal {-ended.returncode}"
    elif "Traceback" in ended.stderr:
        verdict = "traceback"
    else:
        verdict = (
            "one sentence"
            if said.startswith("lesion: ") and ended.returncode == 2
            else f"status {ended.returncode}"
        )
    counts[verdict] += 1
    print(f"{what}: {verdict}: {said[:200]}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="engine, segmentation, classification, export, compare or places")
    parser.add_argument(
        "--sizes", type=float, nargs="*", default=[0.5, 4, 12, 24], help="of the full disks, in MB"
    )
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        dataset = work / "dataset"
        lesion("dataset", "synthesize", dataset, "--count", IMAGES, "--height", 64, "--width", 80)
        unet = Case(
            "segmentation", ("train", "segmentation", dataset, *UNET, *RANDOM), run_state, resume=True
        )
        classifier = Case(
            "classification",
            ("train", "classification", dataset, *CLASSIFIER, *RANDOM),
            run_state,
            resume=True,
        )
        runs = [work / "runs" / case.name for case in (unet, classifier)]
        export = Case(
            "export", ("export", "--segmentation", runs[0], "--classification", runs[1]), bundle_state
        )
        compare = Case("compare", ("compare", dataset, *COMPARISON), comparison_state)
        cases = [Engine(), unet, classifier, export, compare]
        if wanted.only in {None, "export", "places"}:
            for case, folder in zip((unet, classifier), runs, strict=True):
                case.run(folder)
        rng = random.Random(wanted.seed)
        for case in cases:
            if wanted.only in {None, case.name}:
                print(case.name, dict(disturb(case, work, wanted.kills, rng)), flush=True)
        if wanted.only in {None, "places"}:
            print("places", dict(bad_places(cases[1:], dataset, wanted.sizes)))


if __name__ == "__main__":
    main()
