"""The model card of a bundle (Mitchell et al. 2019, "Model cards for model reporting")."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data.diagnoses import diagnosis_name

TEMPLATES = Path(__file__).parent / "templates"


def model_card(fields: Mapping[str, Any]) -> str:
    """Markdown text from the fields of `bundle.json` that `lesion export` has gathered."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["interval"] = _interval
    environment.filters["diagnosis_name"] = diagnosis_name
    return environment.get_template("model_card.md").render(fields)


def _interval(figure: Mapping[str, float | None]) -> str:
    if figure["value"] is None:
        return "-"
    bounds = "" if figure["low"] is None else f" ({figure['low']:.3f}-{figure['high']:.3f})"
    return f"{figure['value']:.3f}{bounds}"
