"""The `lesion serve` command."""

# ruff: noqa: PLC0415 - the command imports what it needs, so that no other waits for it

import os
from typing import Annotated

import typer

from pipeline.cli.app import check_address
from pipeline.cli.console import UNUSABLE, complain, needing_extra, stopping_on
from pipeline.cli.options import BundleOption, ThreadsOption, TTAOption

EXAMPLE = "Example: lesion serve"
TOKEN = "LESION_TOKEN"
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


def serve(
    bundle: BundleOption = None,
    host: Annotated[
        str, typer.Option(help=f"Address to listen on; all but this computer's need {TOKEN}.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    tta: TTAOption = None,
    threads: ThreadsOption = None,
    most_megabytes: Annotated[
        int, typer.Option("--most-megabytes", min=1, help="Largest request, in MB.")
    ] = 64,
    most_images: Annotated[int, typer.Option("--most-images", min=1, help="Most images in a request.")] = 32,
    most_waiting: Annotated[
        int,
        typer.Option("--most-waiting", min=1, help="Images that may wait; more are refused with status 429."),
    ] = 64,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Longest time of a request.")] = 60,
) -> None:
    """Answer requests for predictions over HTTP, until Ctrl-C or SIGTERM.

    POST images to /predict; /docs describes all addresses. The environment variable LESION_TOKEN holds the token that
    requests must bring. Images stay in memory, and nothing is written or sent elsewhere.
    """
    token = os.environ.get(TOKEN, "")
    if host not in LOCAL and not token:
        complain(f"{host}: others could connect there; set {TOKEN} to a secret, or listen on 127.0.0.1.")
        raise typer.Exit(UNUSABLE)
    with needing_extra("serve"):
        import uvicorn

        from pipeline.server.service import make_service
    from pipeline.bundle.loading import BundleError
    from pipeline.prediction.predictor import LesionPipeline
    from pipeline.prediction.running import MOST_AT_ONCE
    from pipeline.server.settings import ServerSettings

    check_address(host, port)
    with stopping_on(BundleError):
        pipeline = LesionPipeline.load(bundle, threads, tta=tta, at_once=MOST_AT_ONCE)
    settings = ServerSettings(token, most_megabytes * 2**20, most_images, most_waiting, seconds)
    print(
        f"The server is at http://{f'[{host}]' if ':' in host else host}:{port} and Ctrl-C ends it.",
        flush=True,
    )
    uvicorn.run(
        make_service(pipeline, settings),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=5,
        limit_concurrency=4 * most_waiting,
    )
