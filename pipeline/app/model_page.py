"""The page of the model: how good it is on which images, and where it ends."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from classification.calibration import ReliabilityBins
from pipeline.app.fragments import show
from pipeline.bundle.loading import Bundle
from pipeline.reports.pictures import data_uri
from pipeline.reports.plots import DARK, LIGHT, png_bytes, reliability_figure

CARD = "MODEL_CARD.md"
PLOT_WIDTH = 480
# Sections of the card that a reader should see without unfolding it.
LIMITS = ("Intended use", "Known gaps", "Licence")


def show_model(bundle: Bundle) -> None:
    """Show a bundle's figures, its calibration, its limits and its whole card."""
    show("heading", text=f"The model: {bundle.name}")
    card = _card(bundle)
    scored = _scored(bundle.figures)
    if scored is None:
        st.info("This bundle holds no figures; `lesion evaluate --record` adds them.")
    else:
        title, scores = scored
        show("scores", title=title, scores=scores)
        _show_calibration(scores)
    sections = _sections(card)
    for name in LIMITS:
        if name in sections:
            show("title", text=name)
            st.markdown(sections[name])
    with st.expander("The whole model card"):
        st.markdown(card)
    show("facts", bundle=bundle)


def _scored(figures: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """Where the figures come from, and the scores: of unseen images where they are there, else of validation."""
    for name, test in figures.get("test", {}).items():
        if test.get("classification"):
            return f"On {name}, images that no model has seen", test["classification"]
    validation = figures.get("validation", {}).get("classification")
    return ("On the validation images, on which the model was chosen", validation) if validation else None


def _show_calibration(scores: Mapping[str, Any]) -> None:
    show("title", text="Is it right as often as it is confident?")
    if not scores.get("reliability"):
        st.caption("This bundle holds no calibration curve; `lesion evaluate --record` adds it.")
        return
    bins = ReliabilityBins.from_dict(scores["reliability"])
    theme = DARK if st.context.theme.type == "dark" else LIGHT
    figure = reliability_figure(bins, theme)
    gaps = "; ".join(
        f"at {confidence:.0%} confidence right in {accuracy:.0%}"
        for confidence, accuracy in zip(bins.confidence, bins.accuracy, strict=True)
        if np.isfinite(confidence)
    )
    with st.container(width=PLOT_WIDTH):
        show("picture", uri=data_uri("png", png_bytes(figure)), alt=f"Accuracy over confidence: {gaps}.")


def _card(bundle: Bundle) -> str:
    """The card as Markdown; without pictures, which a foreign bundle's card could load from another site."""
    path = bundle.folder / CARD
    if not path.is_file():
        return "This bundle has no model card."
    return path.read_text(encoding="utf-8", errors="replace").replace("![", "[")


def _sections(card: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", card, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
