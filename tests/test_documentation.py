"""The README's links lead to files, and the version is the same wherever it stands; `mkdocs --strict` asks the rest."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


@pytest.mark.parametrize("link", LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
def test_a_link_of_the_readme_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).is_file()


def test_changelog_and_citation_have_the_version_and_its_date() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changelog = (ROOT / "docs" / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "docs" / "CITATION.cff").read_text(encoding="utf-8")

    newest, date = re.findall(r"^## (\d+\.\d+\.\d+) - (\S+)$", changelog, re.MULTILINE)[0]
    assert newest == version
    assert f"\nversion: {version}\n" in citation
    assert f"\ndate-released: {date}\n" in citation
