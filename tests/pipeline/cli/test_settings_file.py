"""A run's settings come back from their file, options of the command line come first, and strange keys are named."""

import tomllib
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from pipeline.cli.options import current_name
from pipeline.cli.settings_file import ConfigOption, write_settings

app = typer.Typer(add_completion=False, context_settings={"token_normalize_func": current_name})


@app.command()
def train(
    context: typer.Context,
    output: Path,
    config: ConfigOption = None,  # noqa: ARG001 - read by its callback
    full_epochs: Annotated[int, typer.Option(min=0)] = 8,
    size: tuple[int, int] = (32, 64),
    start: Path | None = None,
    teacher: list[Path] | None = None,
) -> None:
    write_settings(context, output)
    print(full_epochs, size, start, teacher)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def test_what_a_run_writes_another_takes(tmp_path: Path) -> None:
    first = run(
        tmp_path,
        "--full-epochs",
        3,
        "--size",
        96,
        128,
        "--start",
        "runs/a",
        "--teacher",
        "b",
        "--teacher",
        "c",
    )
    again = run(tmp_path / "again", "--config", tmp_path / "config.toml")
    assert again.output == first.output, again.output
    kept = [tomllib.loads((folder / "config.toml").read_text()) for folder in (tmp_path, tmp_path / "again")]
    assert kept[0] == kept[1]
    assert kept[0]["full-epochs"] == 3
    assert "output" not in kept[0]


def test_options_of_the_command_line_come_first(tmp_path: Path) -> None:
    run(tmp_path, "--full-epochs", 3)
    assert run(tmp_path / "b", "--config", tmp_path / "config.toml", "--full-epochs", 5).output.startswith(
        "5 "
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epoch = 3", "does not know: epoch"),
        ("full-epochs = ", "is no TOML"),
        ("full-epochs = 'many'", "--full-epochs"),
        ("output = 'x'", "does not know: output"),
    ],
)
def test_a_file_that_can_not_be_used_is_told(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(content)
    result = run(tmp_path, "--config", tmp_path / "mine.toml")
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_former_names_and_underscores_are_understood(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("epochs = 4\n")
    assert run(tmp_path, "--config", tmp_path / "mine.toml").output.startswith("4 ")
    (tmp_path / "mine.toml").write_text("full_epochs = 4\n")
    assert run(tmp_path, "--config", tmp_path / "mine.toml").output.startswith("4 ")
