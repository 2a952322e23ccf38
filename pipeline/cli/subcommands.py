"""The subcommands of `lesion`, each imported when it is asked for or when all of them are listed."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

# Name -> module, in the order of the help. A module holds the function of this name and its EXAMPLE, or a group `app`.
MODULES = {
    "predict": "pipeline.cli.predict",
    "evaluate": "pipeline.cli.evaluate",
    "app": "pipeline.cli.app",
    "web": "pipeline.cli.web",
    "serve": "pipeline.cli.serve",
    "compare": "pipeline.cli.compare",
    "export": "pipeline.cli.export",
    "calibrate": "pipeline.cli.calibrate",
    "benchmark": "pipeline.cli.benchmark",
    "dataset": "pipeline.cli.dataset",
    "dicom": "pipeline.cli.dicom",
    "train": "pipeline.cli.train",
}


class Subcommands(Mapping[str, Any]):
    """Name -> click command, made when it is looked up, so that no command waits for another's module."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _command(name, MODULES[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


def _command(name: str, place: str) -> Any:
    module = import_module(place)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    if isinstance(getattr(module, "app", None), typer.Typer):
        alone.add_typer(module.app, name=name)
        return get_command(alone).commands[name]  # type: ignore[attr-defined]
    alone.command(name, epilog=module.EXAMPLE)(getattr(module, name))
    return get_command(alone)
