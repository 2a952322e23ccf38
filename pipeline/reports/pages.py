"""Templates -> text, the same for every page that is written or shown."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


def template_environment(folder: Path = TEMPLATES, *, escape: bool = True) -> Environment:
    """Jinja's environment for the templates of a folder; a value that is missing is an error, and html is escaped."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=escape,  # nosec B701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
