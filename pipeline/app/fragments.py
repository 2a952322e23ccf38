"""Pieces of html from templates; all text is escaped on its way in."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from jinja2 import Environment

from data.datasets.diagnoses import diagnosis_name, malignancy
from pipeline.prediction.wording import measure_text, percent
from pipeline.reports.pages import template_environment

__all__ = ["TEMPLATES", "full_name", "html_of", "percent", "show"]

TEMPLATES = Path(__file__).parent / "templates"


def show(template: str, **values: Any) -> None:
    """Show `templates/<template>.html` with these values."""
    st.html(html_of(template, **values))


def html_of(template: str, **values: Any) -> str:
    """What `templates/<template>.html` becomes with these values."""
    return _environment().get_template(f"{template}.html").render(values)


def full_name(code: str) -> str:
    """A class as a reader knows it, and its code: "melanoma (mel)"."""
    name = diagnosis_name(code)
    return code if name == code else f"{name} ({code})"


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
