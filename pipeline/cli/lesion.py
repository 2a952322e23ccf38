"""The `lesion` command, made of its subcommands."""

from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from pipeline.cli.console import INTERRUPTED, complain, complain_of_warnings, needing_extra
from pipeline.cli.options import DISCLAIMER, current_name
from pipeline.cli.streams import prepare_streams
from pipeline.cli.subcommands import Subcommands


class Commands(TyperGroup):
    """The subcommands; Ctrl-C in one of them ends with the exit status that shells have for it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast(Any, Subcommands())

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            complain("interrupted.")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="lesion",
    cls=Commands,
    epilog=DISCLAIMER,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"token_normalize_func": current_name},
    rich_markup_mode=None,  # loading rich takes longer than all the rest of `lesion --help`
)


def main() -> None:
    """Run the command line."""
    prepare_streams()
    complain_of_warnings()
    with needing_extra("evaluate"):
        app(prog_name="lesion")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - no other use of the command waits for it

        print(f"lesion {version('lesion')}")
        raise typer.Exit


@app.callback()
def lesion(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Find, crop and name skin lesions in dermoscopic images."""
