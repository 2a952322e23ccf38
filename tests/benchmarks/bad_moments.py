"""Kill predictions, trainings, exports and comparisons at random moments, and count what is not brought back.

    python tests/benchmarks/bad_moments.py --kills 20 --seed 0
    python tests/benchmarks/bad_moments.py --only places       # full disk (as root), read-only, no home, no network

Everything is small: drawn images, inputs of 32 pixels, one process after the other. Half of the kills hit the command's
own process, as a system short of memory does, half all of its processes. A file of the user's is put beside what was
written, and the command is given again, with --resume where it has one; then its weights, figures and files must be
those of the command that nobody disturbed, the user's file must be there, nothing half-written, no process may go on,
and no traceback of another process have been printed. Times of day and speeds are not compared. Each line is one case;
the last ones count them.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
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
from dataclasses import dataclass
from pathlib import Path

from process_memory import family, processor_seconds

os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = (
    "1"  # small networks need no more
)
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from pipeline.cli import main as main_of_lesion
from pipeline.prediction import running  # noqa: F401 - so that no command has to load its libraries

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
PREDICTED = 12  # images
ORPHAN, PATIENCE = "\na process goes on after its command was killed", 20.0
NOTES_FILE, NOTES = "notes.txt", "the user's own words"
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


@dataclass(frozen=True)
class Kill:
    """SIGKILL once so many seconds of processor time were spent, whatever else the machine has to do.

    It hits the command's own process, or all of its processes.
    """

    after: float
    all_processes: bool = False


@dataclass(frozen=True)
class Ended:
    """How a command ended, what it printed, and the seconds of processor time that it and its processes spent."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float = 0.0


def lesion(*arguments: object, kill: Kill | None = None) -> Ended:
    """Run the command in a fork of this process; see `forked`."""

    def command() -> None:
        sys.argv = ["lesion", *map(str, arguments)]
        main_of_lesion()

    return forked(command, kill)


def forked(work: Callable[[], object], kill: Kill | None = None) -> Ended:
    """Do the work in a fork of this process, which has TensorFlow loaded and has not used it.

    What it printed is read when the last of its processes has gone; one that does not go is `ORPHAN` on its errors.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.setpgrp()
            _become(work, output.fileno(), errors.fileno())
        spent: dict[int, float] = {}
        while not (waited := os.waitpid(child, os.WNOHANG))[0]:
            spent |= {
                process: seconds for process in family(child) if (seconds := processor_seconds(process))
            }
            if kill and sum(spent.values()) > kill.after:
                (os.killpg if kill.all_processes else os.kill)(child, signal.SIGKILL)
            time.sleep(0.02)
        orphan = _orphan_of(child)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    status = os.waitstatus_to_exitcode(waited[1])
    return Ended(status, texts[0], texts[1] + orphan, sum(spent.values()))


def _orphan_of(group: int) -> str:
    """`ORPHAN` where a process of the group is still there after `PATIENCE` seconds; it is killed then."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return ""
        time.sleep(0.02)
    os.killpg(group, signal.SIGKILL)
    return ORPHAN


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


def prediction_state(folder: Path) -> dict:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != NOTES_FILE]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def leftovers(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*"))


class Case:
    """A command that writes a folder, and what of the folder must be the same whatever happened on the way."""

    def __init__(
        self, name: str, arguments: tuple[object, ...], state: Callable[[Path], dict], resume: bool = False
    ) -> None:
        self.name, self.arguments, self.state, self.resume = name, arguments, state, resume

    def run(self, folder: Path, *, again: bool = False, kill: Kill | None = None):
        resume = ("--resume",) if again and self.resume else ()
        return lesion(*self.arguments, "--output", folder, *resume, kill=kill)

    def prepare(self, undisturbed: Path, folder: Path) -> None:
        """What is there before the command that will be killed."""

    def after_a_kill(self, folder: Path, expected: dict) -> str:
        """What is wrong in the folder before the command is given again; nothing where all is well."""
        return ""


class Replacement(Case):
    """A command that replaces a bundle in one step: at any kill there is a whole one, and the user's file."""

    def prepare(self, undisturbed: Path, folder: Path) -> None:
        shutil.copytree(undisturbed, folder)
        (folder / NOTES_FILE).write_text(NOTES)

    def after_a_kill(self, folder: Path, expected: dict) -> str:
        whole = folder.exists() and self.state(folder) == expected and (folder / NOTES_FILE).exists()
        return "" if whole else "no whole bundle after the kill"


class Engine(Case):
    """The training engine alone, on the tests' smallest network: many kills in little time."""

    def __init__(self) -> None:
        super().__init__("engine", (), lambda folder: {"weights": weights_of(folder / "model.keras")})
        path = ROOT / "tests" / "segmentation" / "engine" / "test_fitting.py"
        specification = importlib.util.spec_from_file_location("test_fitting", path)
        assert specification and specification.loader
        self.tests = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(self.tests)

    def run(self, folder: Path, *, again: bool = False, kill: Kill | None = None):
        return forked(lambda: self.tests.train_noisily(folder), kill)


def disturb(case: Case, work: Path, kills: int, rng: random.Random) -> Counter:
    """Kill the command at random moments of its processor time, `kills` times over, and count how the resumes ended."""
    undisturbed = work / f"{case.name}-undisturbed"
    ended = case.run(undisturbed)
    if ended.returncode:
        sys.exit(f"{case.name} fails undisturbed: {ended.stderr}")
    seconds, expected = ended.seconds, case.state(undisturbed)
    counts: Counter = Counter()
    for number in range(kills):
        place = work / f"{case.name}-{number}"
        folder = place / undisturbed.name
        case.prepare(undisturbed, folder)
        moments = [rng.uniform(0.1, 1.0) * seconds for _ in range(rng.choice((1, 1, 2)))]
        ends = [
            case.run(folder, again=again > 0, kill=Kill(moment, rng.random() < 0.5))
            for again, moment in enumerate(moments)
        ]
        verdict = (
            _verdict_of_kills(ends) or case.after_a_kill(folder, expected) or _verdict(case, folder, expected)
        )
        counts[verdict] += 1
        said = ", ".join(
            f"{'killed' if end.returncode < 0 else 'ended'} by {moment:.1f} s"
            for end, moment in zip(ends, moments, strict=True)
        )
        print(f"{case.name} {number}: {said} of {seconds:.1f}: {verdict}", flush=True)
        shutil.rmtree(place, ignore_errors=True)
    return counts


def _verdict_of_kills(ends: list[Ended]) -> str:
    """What was wrong at the kills themselves; nothing where all was well."""
    for end in ends:
        if "Traceback" in end.stderr or ORPHAN in end.stderr:
            return f"printed at the kill: {end.stderr.strip().splitlines()[-1]}"
    return "" if any(end.returncode < 0 for end in ends) else "ended before the kill"


def _verdict(case: Case, folder: Path, expected: dict) -> str:
    notes = folder / NOTES_FILE
    began = folder.exists()
    if began:
        notes.write_text(NOTES)
    ended = case.run(folder, again=True)
    if "Traceback" in ended.stderr:
        return f"traceback: {ended.stderr.strip().splitlines()[-1]}"
    if ended.returncode:
        return f"refused: {ended.stderr.strip().splitlines()[-1]}"
    if leftovers(folder.parent):
        return f"left {leftovers(folder.parent)[0]}"
    if began and (not notes.exists() or notes.read_text() != NOTES):
        return "lost the user's file"
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


def _count(counts: Counter, what: str, ended: Ended | subprocess.CompletedProcess[str]) -> None:
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
    parser.add_argument(
        "--only", help="engine, predict, segmentation, classification, export, compare or places"
    )
    parser.add_argument("--workers", type=int, default=1, help="of the predictions")
    parser.add_argument(
        "--sizes", type=float, nargs="*", default=[0.5, 4, 12, 24], help="of the full disks, in MB"
    )
    wanted = parser.parse_args()
    if wanted.only != "predict":
        for module in ("comparison.running", "export.exporting"):
            importlib.import_module(f"pipeline.{module}")
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
        export = Replacement(
            "export", ("export", "--segmentation", runs[0], "--classification", runs[1]), bundle_state
        )
        photos = work / "photos"
        lesion("dataset", "synthesize", photos, "--count", PREDICTED, "--height", 300, "--width", 400)
        predict = Case(
            "predict", ("predict", photos, "--workers", wanted.workers), prediction_state, resume=True
        )
        compare = Case("compare", ("compare", dataset, *COMPARISON), comparison_state)
        cases = [Engine(), predict, unet, classifier, export, compare]
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
