"""An end that was wished for from outside: what is done stays, and nothing half-done is left."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = ("SIGTERM", "SIGHUP")


@contextmanager
def ending_softly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that what has to be put in order on the way out is.

    The exit status is then 128 and the signal's number, as shells have it.
    """
    if threading.current_thread() is not threading.main_thread():  # only there Python takes signals
        yield
        return
    names = [name for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # as nohup sets it
                signal.signal(number, _end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def was_wished_for(end: SystemExit) -> bool:
    """Whether it is the end of `ending_softly`."""
    return end.code in {128 + getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)}


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
