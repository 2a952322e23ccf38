"""The server of the page: models opened at its start, a door, and visits that end when their page is closed."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from streamlit.runtime import get_instance
from streamlit.starlette import App

from data.memory import keep_little_memory
from pipeline.app.door import Door
from pipeline.app.models import opened_pipeline, warm_up
from pipeline.app.settings import LARGEST_UPLOAD, SESSION_SECONDS, Place, streamlit_settings
from pipeline.app.visit import end_visit, known_sessions, return_memory_that_is_due

PAGE = Path(__file__).with_name("main.py")
WILDCARDS = ("0.0.0.0", "::")  # nosec B104 - to recognise them
LOOK_SECONDS = 2.0


def serve(bundle: Path, place: Place, token: str | None) -> None:
    """Serve the page until it is interrupted.

    Parameters
    ----------
    bundle : folder of a bundle that can be used
    place : where to listen
    token : what a browser must know to get in; None lets in whoever reaches the address
    """
    keep_little_memory()
    MultiPartParser.spool_max_size = (
        LARGEST_UPLOAD + 1
    ) * 2**20  # by default, what is over 1 MB goes to the disk
    sys.argv = [str(PAGE), str(bundle)]
    opened_pipeline(str(bundle))
    app = App(PAGE, lifespan=_life(str(bundle)), middleware=[Middleware(Door, token=token)])
    app.run(config=streamlit_settings(place))


def _life(bundle: str) -> Callable[[App], AbstractAsyncContextManager[dict[str, Any] | None]]:
    """The server's life: it warms up while the first page is on its way, and lets go of visits that are over."""

    @asynccontextmanager
    async def life(_: App) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(asyncio.to_thread(warm_up, bundle)), asyncio.create_task(_end_visits())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

    return life


async def _end_visits() -> None:
    """Empty visits whose page has been closed for longer than Streamlit keeps their session, and their uploads."""
    absent_since: dict[str, float] = {}
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        return_memory_that_is_due()
        runtime = get_instance()
        for session in known_sessions():
            if runtime.is_active_session(session):
                absent_since.pop(session, None)
            elif time.monotonic() - absent_since.setdefault(session, time.monotonic()) > SESSION_SECONDS:
                runtime.uploaded_file_mgr.remove_session_files(session)
                end_visit(session)
                absent_since.pop(session)


def own_address(host: str) -> str:
    """The address under which another device reaches a server that listens on `host`.

    For a host that stands for all of this machine's addresses, it is the one from which packets to the network would
    leave; none is sent.
    """
    if host not in WILDCARDS:
        return host
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address for documentation, which nobody has
        return str(probe.getsockname()[0])
    return socket.gethostname()
