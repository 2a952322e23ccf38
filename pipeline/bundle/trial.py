"""A model from elsewhere is checked and run in a process of its own before this one opens it.

LiteRT trusts its files: of 700 damaged ones with the right hash two broke the process's memory. A model that has
passed is remembered by its hash, so that only its first use waits.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from data.files import write_text
from pipeline.bundle.flatbuffer import check_flatbuffer
from pipeline.bundle.litert import LiteRTModel, ModelError

SECONDS = 120
MOST_BYTES = 8 * 2**30  # of address space, of which the libraries reserve much more than they use
VERSION = 1  # of what a trial looks at
ROOT = Path(__file__).parents[2]


def try_model(path: Path, sha256: str) -> None:
    """Raise ModelError where a model does not come through a trial in another process.

    Parameters
    ----------
    path : Path of a `.tflite` file
    sha256 : str
        The file's hash, by which a model that has passed is known again.
    """
    remembered = _memory(sha256)
    if remembered is not None and remembered.exists():
        return
    search = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "pipeline.bundle.trial", str(path)],
            env={**os.environ, "PYTHONPATH": search, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"{path}: the model gave no answer within {SECONDS} seconds") from None
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        raise ModelError(f"{path}: the model crashes LiteRT ({name})")
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or [f"status {ended.returncode}"]
        raise ModelError(
            said[-1] if said[-1].startswith(str(path)) else f"{path}: the model can't be run ({said[-1]})"
        )
    if remembered is not None:
        _remember(remembered)


def run_trial(path: Path) -> None:
    """Check the file's structure, and run the model on three images; raise ModelError where something is wrong."""
    check_flatbuffer(path)
    model = LiteRTModel(path, threads=1)
    if len(model.input_shape) != 3 or not 0 < np.prod(model.input_shape) < 2**26:
        raise ModelError(f"{path}: the model takes {model.input_shape} and not one image")
    rng = np.random.default_rng(0)
    for image in (
        np.zeros(model.input_shape, np.uint8),
        np.full(model.input_shape, 255, np.uint8),
        rng.integers(0, 256, model.input_shape, np.uint8),
    ):
        model(image)


def _memory(sha256: str) -> Path | None:
    """The empty file that remembers a model; None where this user has no place for it."""
    if not set(sha256) <= set("0123456789abcdef"):
        return None
    try:
        cache = Path(os.environ.get("LESION_CACHE") or Path.home() / ".cache" / "lesion")
    except RuntimeError:
        return None
    return cache / "tried-models" / f"{sha256}-{VERSION}"


def _remember(file: Path) -> None:
    try:
        write_text(file, "")
    except OSError:  # the next use tries it again
        return


def _bound_memory() -> None:
    """Let a file that asks for more memory than any of our models end the trial and not the machine."""
    try:
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    except (ImportError, OSError, ValueError):
        return


if __name__ == "__main__":
    _bound_memory()
    try:
        run_trial(Path(sys.argv[1]))
    except ModelError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
