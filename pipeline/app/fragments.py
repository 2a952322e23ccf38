"""Pieces of html from templates; all text is escaped on its way in."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from jinja2 import Environment

from data.datasets.diagnoses import diagnosis_name, malignancy
from pipeline.reports.pages import template_environment

TEMPLATES = Path(__file__).parent / "templates"


def show(template: str, **values: Any) -> None:
    """Show `templates/<template>.html` with these values."""
    st.html(_environment().get_template(f"{template}.html").render(values))


def full_name(code: str) -> str:
    """A class as a reader knows it, and its code: "melanoma (mel)"."""
    name = diagnosis_name(code)
    return code if name == code else f"{name} ({code})"


def percent(share: float) -> str:
    """A share of 0..1 as text, as precise as the command line's table; a dash where it is not known."""
    return "–" if math.isnan(share) else f"{share:.1%}"


@cache
def _environment() -> Environment:
    environment = template_environment(TEMPLATES)
    environment.filters |= {"full_name": full_name, "percent": percent, "malignancy": malignancy}
    return environment
