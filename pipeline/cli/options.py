"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DISCLAIMER = "For research and teaching; not a medical device."

BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="BUNDLE",
        help="Folder of the bundle; by default the one that ships.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Threads for one inference; by default one a core, at most 4.",
        show_default=False,
    ),
]
TTAOption = Annotated[
    bool,
    typer.Option(
        "--tta",
        "--flips",
        help="Test-time augmentation: average the diagnosis over the crop's mirror images; steadier, and slower.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
