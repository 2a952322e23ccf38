"""The settings of a training as a file: every run writes it, and `--config` takes it back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from data.files import write_text
from pipeline.cli.options import current_name

SETTINGS_FILE = "config.toml"
# What belongs to one command and not to a training: where it reads, writes and computes, and whether it goes on.
NOT_IN_FILE = frozenset({"datasets", "output", "resume", "devices", "config", "help"})


def _read(context: typer.Context, value: Path | None) -> Path | None:
    """Let the file's values take the place of the defaults; options of the command line come before them."""
    if value is not None:
        context.default_map = {**(context.default_map or {}), **_settings(value, _options(context))}
    return value


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings from a file, such as the config.toml of another run; options given here come first.",
        callback=_read,
        is_eager=True,
        show_default=False,
    ),
]


def write_settings(context: typer.Context, folder: Path) -> None:
    """Write all settings of this command to `config.toml` in the run's folder; what is not set is left out."""
    import tomli_w  # noqa: PLC0415 - only trainings need it

    values = {name: _plain(context.params[name]) for name in _options(context).values()}
    known = {
        option: values[name] for option, name in _options(context).items() if values[name] not in (None, [])
    }
    head = f"# The settings of: {context.command_path}\n# Take them back with --config {SETTINGS_FILE}\n\n"
    write_text(folder / SETTINGS_FILE, head + tomli_w.dumps(known))


def _options(context: typer.Context) -> dict[str, str]:
    """Name of each option as the command line has it, without dashes before it -> of its parameter."""
    return {
        max(option.opts, key=len).lstrip("-"): option.name
        for option in context.command.params
        if option.name and option.name not in NOT_IN_FILE and option.param_type_name == "option"
    }


def _settings(path: Path, options: dict[str, str]) -> dict[str, Any]:
    """Parameter -> value; raises BadParameter where the file can't be read or knows other settings."""
    try:
        import tomllib  # noqa: PLC0415 - no other command waits for it

        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}; give a file that a run wrote.") from None
    except ValueError as error:  # neither UTF-8 nor TOML
        raise typer.BadParameter(f"{path} is no TOML: {error}.") from None
    named = {current_name(key.replace("_", "-")): value for key, value in found.items()}
    if unknown := [key for key in named if key not in options]:
        raise typer.BadParameter(
            f"{path} has settings that this training does not know: {', '.join(unknown)}; "
            f"it knows {', '.join(sorted(options))}."
        )
    return {options[key]: value for key, value in named.items()}


def _plain(value: Any) -> Any:
    """A value as TOML can hold it."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value
