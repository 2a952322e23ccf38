"""What the commands share: one-line errors and the exit statuses."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from data.datasets.errors import DatasetWarning
from data.text import visible

SOME_FAILED = 1
UNUSABLE = 2
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal of Ctrl-C

MODULES_OF_EXTRAS = {
    *("pandas", "scipy", "statsmodels", "sklearn", "matplotlib", "jinja2", "imagehash"),
    *("tensorflow", "keras", "segmentation_models", "albumentations", "tomli_w"),
    *("streamlit", "starlette", "skimage"),
    *("onnx", "onnxruntime", "tf2onnx", "yaml"),
    *("pydicom", "highdicom", "dicomanonymizer", "dicomweb_client"),
    *("pyarrow", "ray", "fastapi", "uvicorn", "prometheus_client"),
}


def complain(error: object) -> None:
    """Say on standard error what is wrong, in one line; control characters of a file's name are shown."""
    print(f"lesion: {visible(error)}", file=sys.stderr)


def complain_of_warnings() -> None:
    """Let what a dataset warns of be said as other complaints are, and not as Python's warnings with a line of code."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, DatasetWarning):
            complain(f"warning: {message}")
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show


def hint(text: str) -> None:
    """Say something on standard error that only a person at the terminal needs."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


@contextmanager
def stopping_on(*errors: type[Exception]) -> Iterator[None]:
    """Turn the given errors, and any file that can't be read or written, into one line and exit status 2."""
    try:
        yield
    except BrokenPipeError:  # the reader of standard output has seen enough
        raise
    except errors as error:
        complain(error)
        raise typer.Exit(UNUSABLE) from None
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        where = "" if error.filename is None else f"{error.filename}: "
        complain(f"{where}{reason}; check the path, its permissions and the space on the disk.")
        raise typer.Exit(UNUSABLE) from None


@contextmanager
def needing_extra(extra: str) -> Iterator[None]:
    """Turn a missing package into one line that says which extra brings it, and exit status 2."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in MODULES_OF_EXTRAS:
            raise
        complain(
            f"this needs {error.name}, which is not installed; run in the folder of the software: "
            f"pip install -c constraints.txt '.[{extra}]'"
        )
        sys.exit(UNUSABLE)
