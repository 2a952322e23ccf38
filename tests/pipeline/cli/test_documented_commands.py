"""Every `lesion` command that the documentation gives is one that the software takes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from pipeline.cli import lesion as cli

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def documented_commands() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for block in SHELL_BLOCK.findall(document.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("lesion "):
                    yield document.name, line


def words_of(line: str) -> list[str]:
    """The command's words, up to where the shell takes over."""
    words = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(words) if word in {">", "|", "&&", ";"}]
    return words[1 : min(ends, default=len(words))]


def test_the_documentation_gives_commands() -> None:
    assert len(list(documented_commands())) > 10


@pytest.mark.parametrize(("document", "line"), list(documented_commands()))
def test_a_documented_command_is_one(document: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command, words = typer.main.get_command(cli.app), words_of(line)
    settings = command.context_settings
    while hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not command.make_context(line, words, **settings).args, document
