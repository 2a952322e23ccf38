"""The `lesion` command: one file a subcommand."""

from pipeline.cli.starting import without_collecting

with without_collecting():
    from pipeline.cli.lesion import main

__all__ = ["main"]
