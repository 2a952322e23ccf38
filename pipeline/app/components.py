"""The page's own components: a piece of html, its style and its script, from the templates."""

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from pipeline.app.fragments import TEMPLATES


def component(name: str, *scripts: str) -> Callable[..., Any]:
    """The component of `templates/<name>.html`, `.css` and the scripts `.js`, by default the one of its name.

    Several scripts are joined; the last one exports what Streamlit calls. Each run of the page registers the
    component anew, as each session may be another's first. The script gets `data` in a list: whether a dictionary
    holds tables Streamlit would ask pandas and Arrow, at the cost of 110 MB and half a second.
    """
    mounted: Callable[..., Any] = st.components.v2.component(
        f"lesion-{name}",
        html=_source(f"{name}.html"),
        css=_source("component.css") + _source(f"{name}.css"),
        js="\n".join(_source(f"{script}.js") for script in scripts or (name,)),
    )
    return lambda data=None, **options: mounted(data=[data], **options)


@cache
def _source(file: str) -> str:
    return (TEMPLATES / file).read_text("utf-8")
