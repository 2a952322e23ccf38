"""What the commands share: one-line errors, the exit statuses, and the progress bar."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from data.text import visible

SOME_FAILED = 1
UNUSABLE = 2
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal of Ctrl-C

MODULES_OF_EXTRAS = {
    *("pandas", "scipy", "statsmodels", "sklearn", "matplotlib", "jinja2", "imagehash"),
    *("tensorflow", "keras", "segmentation_models", "albumentations", "tomli_w"),
    *("streamlit", "starlette", "skimage"),
    *("pydicom", "highdicom", "dicomanonymizer", "dicomweb_client"),
}


def complain(error: object) -> None:
    """Say on standard error what is wrong, in one line; control characters of a file's name are shown."""
    print(f"lesion: {visible(error)}", file=sys.stderr)


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


@contextmanager
def progress_bar(
    description: str, total: int | None = None, beside_output: bool = False
) -> Iterator[Callable[..., None]]:
    """Draw a bar on standard error, where a terminal shows it.

    Parameters
    ----------
    description : str
        What is going on.
    total : int, optional
        The number of steps; None where it comes only with the first step.
    beside_output : bool
        Whether standard output is written to meanwhile; then there is no bar where a terminal shows that, too.

    Yields
    ------
    A function to call after a step: without arguments, with the number of steps done, or with that and the total.
    """
    if not sys.stderr.isatty() or (beside_output and sys.stdout.isatty()):
        yield lambda *_: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(description, total=total)

        def move(done: int | None = None, total: int | None = None) -> None:
            bar.update(task, completed=done, total=total, advance=1 if done is None else None)

        yield move
