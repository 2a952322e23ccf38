"""The `lesion` command, made of its subcommands."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipeline.cli import app as app_command
from pipeline.cli import (
    benchmark,
    calibrate,
    compare,
    dataset,
    dicom,
    evaluate,
    export,
    predict,
    serve,
    train,
)
from pipeline.cli import web as web_command
from pipeline.cli.console import INTERRUPTED, complain, complain_of_warnings, needing_extra
from pipeline.cli.options import DISCLAIMER, current_name
from pipeline.cli.streams import prepare_streams


class Commands(TyperGroup):
    """The subcommands; Ctrl-C in one of them ends with the exit status that shells have for it."""

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


app.command(epilog=predict.EXAMPLE)(predict.predict)
app.command(epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.command(epilog=app_command.EXAMPLE)(app_command.app)
app.command(epilog=web_command.EXAMPLE)(web_command.web)
app.command(epilog=serve.EXAMPLE)(serve.serve)
app.command(epilog=compare.EXAMPLE)(compare.compare)
app.add_typer(dataset.app, name="dataset")
app.add_typer(dicom.app, name="dicom")
app.add_typer(train.app, name="train")
app.command(epilog=export.EXAMPLE)(export.export)
app.command(epilog=calibrate.EXAMPLE)(calibrate.calibrate)
app.command(epilog=benchmark.EXAMPLE)(benchmark.benchmark)
