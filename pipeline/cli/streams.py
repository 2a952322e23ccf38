"""Standard output and standard error that are closed, that know few letters, or whose reader goes away."""

import io
import os
import sys
import warnings
from typing import TextIO

READER_GONE = 141  # what shells say of a command that SIGPIPE ended


class _Output(io.TextIOWrapper):
    """A stream whose reader may have seen enough; then the command ends without a word."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            raise self._reader_gone() from None

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise self._reader_gone() from None

    def _reader_gone(self) -> SystemExit:
        """Let what is still to be written go nowhere, so that nothing complains at the end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        return SystemExit(READER_GONE)


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
