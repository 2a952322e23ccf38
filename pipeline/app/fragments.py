"""Pieces of html from templates; all text is escaped on its way in."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from jinja2 import Environment

from data.datasets.diagnoses import malignancy
from pipeline.prediction.wording import full_name, measure_text, percent
from pipeline.reports.pages import template_environment

__all__ = ["TEMPLATES", "full_name", "html_of", "percent", "show"]

TEMPLATES = Path(__file__).parent / "templates"


def show(template: str, **values: Any) -> None:
    """Show `templates/<template>.html` with these values."""
    st.html(html_of(template, **values))


def html_of(template: str, **values: Any) -> str:
    """What `templates/<template>.html` becomes with these values."""
    return _environment().get_template(f"{template}.html").render(values)


@cache
def _environment() -> Environment:
    environment = template_environment(TEMPLATES)
    environment.filters |= {
        "full_name": full_name,
        "percent": percent,
        "malignancy": malignancy,
        "measure": measure_text,
    }
    return environment
