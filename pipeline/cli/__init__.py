"""The `lesion` command: one file a subcommand."""

from pipeline.cli.lesion import main

__all__ = ["main"]
