"""The `lesion app` command."""

# ruff: noqa: PLC0415 - the command imports what it needs, so that no other waits for it

import socket
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import UNUSABLE, complain, needing_extra, stopping_on
from pipeline.cli.options import BundleOption

EXAMPLE = "Example: lesion app"


def app(
    bundle: BundleOption = None,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; 0.0.0.0 lets others in the network in, who need the token."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    token: Annotated[
        str | None,
        typer.Option(
            help="What others must know to get in; by default a new one at each start.", show_default=False
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="For https, which cameras ask for.", show_default=False
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The certificate's key.", show_default=False),
    ] = None,
) -> None:
    """Serve the page on which images are predicted in a browser.

    Images stay in this process's memory: nothing is written or sent anywhere. Ctrl-C ends it.
    """
    with needing_extra("app"):
        import skimage  # noqa: F401
        import streamlit  # noqa: F401
    from pipeline.app.settings import Place
    from pipeline.bundle.loading import BundleError, load_bundle

    if (certificate is None) != (key is None):
        complain("--certificate and --key go together; give both, or neither.")
        raise typer.Exit(UNUSABLE)
    place = Place(host, port, certificate, key)
    with stopping_on(BundleError):
        folder = load_bundle(bundle).folder
    check_address(host, port)
    from pipeline.app.serving import own_address, serve

    if token is None and not place.is_local:
        import secrets

        token = secrets.token_urlsafe(12)
    address = place.address(own_address(host)) + (f"/?token={token}" if token else "")
    print(f"The page is at {address} and Ctrl-C ends it.", flush=True)
    serve(folder.resolve(), place, token)


def check_address(host: str, port: int) -> None:
    """Stop with one line where nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        complain(f"{host}:{port}: {reason}; give another --host or --port.")
        raise typer.Exit(UNUSABLE) from None
