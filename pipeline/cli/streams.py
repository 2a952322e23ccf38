"""Standard output and standard error that are closed, that know few letters, or whose reader goes away."""

import io
import os
import sys
import warnings
from typing import TextIO

from pipeline.cli.console import UNUSABLE, complain

_STANDARD_ERROR = 2
READER_GONE = 141  # what shells say of a command that SIGPIPE ended


class _Output(io.TextIOWrapper):
    """A stream that may not take what is written: then the command ends in order.

    A reader that has seen enough ends it without a word, and a full disk with a sentence. What standard error does not
    take is lost.
    """

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Let what is still to be written go nowhere, so that nothing complains at the end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        if isinstance(error, BrokenPipeError):
            raise SystemExit(READER_GONE) from None
        if self.fileno() != _STANDARD_ERROR:
            complain(f"standard output: {error.strerror}; check the space on the disk.")
            raise SystemExit(UNUSABLE) from None


def prepare_streams() -> None:
    """Let a command write to its streams without failing, whatever they are connected to.

    A stream that is closed goes nowhere. A letter that the stream's encoding lacks is written as its escape. Warnings
    of libraries are kept from the reader, unless Python was asked for them.
    """
    sys.stdout, sys.stderr = _prepared(sys.stdout, 1), _prepared(sys.stderr, 2)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _prepared(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None or stream.closed:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != descriptor:  # else a file that is opened later would get what is written to the stream
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
        return _Output(io.FileIO(descriptor, "w", closefd=False), encoding="utf-8", write_through=True)
    encoding, by_lines, at_once = (
        getattr(stream, name, None) for name in ("encoding", "line_buffering", "write_through")
    )
    buffer = stream.detach()  # type: ignore[attr-defined]
    return _Output(
        buffer,
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=bool(by_lines),
        write_through=bool(at_once),
    )
