"""Whole processes, timed from outside."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAUNCHER = Path(__file__).with_name("launcher.py")
LONGEST_SECONDS = 900.0


class ProcessError(Exception):
    """A process that failed or took too long; the message is the last line that it wrote on standard error."""


@dataclass(frozen=True)
class ProcessRun:
    """One finished process.

    Attributes
    ----------
    seconds : float
        From its start to its end.
    peak_bytes : int or None
        The largest resident memory of the process or one of its children; None where the system does not tell.
    answer : str
        The last line of its standard output.
    """

    seconds: float
    peak_bytes: int | None
    answer: str

    def figures(self) -> dict[str, Any]:
        """The JSON object that the process printed last."""
        figures: dict[str, Any] = json.loads(self.answer)
        return figures


def run_process(command: Sequence[str], timeout: float = LONGEST_SECONDS) -> ProcessRun:
    """Run a command to its end.

    Raises
    ------
    ProcessError
        If its exit status is not 0, or it runs for longer than `timeout` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output.txt"
        launched = subprocess.run(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(timeout), str(output), *command],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        answer = _last_line(output.read_text(encoding="utf-8", errors="replace"))
    run = json.loads(launched.stdout)
    if run["status"] != 0:
        raise ProcessError(_last_line(launched.stderr) or f"ended with status {run['status']}")
    return ProcessRun(run["seconds"], run["peak_bytes"], answer)


def python_module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]
