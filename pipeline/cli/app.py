"""The `lesion app` command."""

# ruff: noqa: PLC0415 - the command imports what it needs, so that no other waits for it

import socket
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import UNUSABLE, complain, needing_extra, stopping_on
from pipeline.cli.options import BundleOption

PAGE = Path(__file__).parents[1] / "app" / "main.py"


EXAMPLE = "Example: lesion app"


def app(
    bundle: BundleOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets others in the network in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
) -> None:
    """Serve the page on which images are predicted in a browser.

    Images stay in this process's memory: nothing is written or sent anywhere. Ctrl-C ends it.
    """
    with needing_extra("app"):
        import skimage  # noqa: F401
        from starlette.formparsers import MultiPartParser
        from streamlit.web import cli as streamlit
    from pipeline.app.settings import LARGEST_UPLOAD, streamlit_options
    from pipeline.bundle.loading import BundleError, load_bundle

    with stopping_on(BundleError):
        folder = load_bundle(bundle).folder
    _check_address(host, port)
    print(
        f"The page is at http://{f'[{host}]' if ':' in host else host}:{port} and Ctrl-C ends it.", flush=True
    )
    MultiPartParser.spool_max_size = (
        LARGEST_UPLOAD + 1
    ) * 2**20  # by default, what is over 1 MB goes to the disk
    streamlit.main(
        ["run", str(PAGE), *streamlit_options(host, port), "--", str(folder.resolve())],
        prog_name="lesion app",
    )


def _check_address(host: str, port: int) -> None:
    """Stop with one line where nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        complain(f"{host}:{port}: {reason}; give another --host or --port.")
        raise typer.Exit(UNUSABLE) from None
