"""The `lesion web` command."""

# ruff: noqa: PLC0415 - the command imports what it needs, so that no other waits for it

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import stopping_on
from pipeline.cli.options import BundleOption

EXAMPLE = "Example: lesion web page/ && python -m http.server -d page/"


def web(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A new folder, or that of an earlier page.", show_default=False),
    ],
    bundle: BundleOption = None,
) -> None:
    """Write a page that predicts in the browser itself, offline, as a folder for any static web server.

    It holds both models. Opened once, it works without a network, and no image leaves the phone or computer that it is
    opened on. Browsers keep pages for offline use from https addresses and from localhost only.
    """
    from pipeline.bundle.loading import BundleError, load_bundle
    from pipeline.web.writing import SiteError, write_site

    with stopping_on(BundleError, SiteError):
        files = write_site(load_bundle(bundle), folder)
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"{folder}: {len(files)} files, {megabytes:.1f} MB. To try it:")
    print(f"  python -m http.server -d {folder} 8000    and open http://localhost:8000")
