"""The picture with the lesion's contour, the activation map, and a box to drag."""

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from data.datasets.diagnoses import diagnosis_name
from pipeline.app.drawings import contour_path, evidence_uri
from pipeline.app.fragments import TEMPLATES
from pipeline.prediction.predictor import Prediction
from segmentation.cropping import Box


def show_viewer(
    photo: str, prediction: Prediction, box: Box, explained: str, key: str, on_drawn: Callable[[], None]
) -> Any:
    """Show an image with what was found in it; call `on_drawn` when the reader has moved or drawn the box.

    Parameters
    ----------
    photo : data URI of the image
    prediction : Prediction of the image
    box : the square that is drawn, in the image's pixels
    explained : the class whose activation map is laid over
    key : of the widget; `st.session_state[key].drawn` holds the box that was drawn: `x0`, `y0` and `side`
    """
    height, width = prediction.mask.shape
    whole = prediction.view == "full"
    seen = Box(0, 0, width, height) if whole else box
    activation = prediction.activation_map[:, :, list(prediction.probabilities).index(explained)]
    return _component()(
        key=key,
        data={
            "photo": photo,
            "width": width,
            "height": height,
            "contour": contour_path(prediction.mask),
            "evidence": evidence_uri(activation),
            "seen": {"x": seen.x0, "y": seen.y0, "width": seen.width, "height": seen.height},
            "box": {"x0": box.x0, "y0": box.y0, "side": box.width},
            "whole": whole,
            "description": describe(prediction, box),
        },
        on_drawn_change=on_drawn,
    )


def describe(prediction: Prediction, box: Box) -> str:
    """The picture in words, for those who can't see it."""
    found = (
        f"a lesion that covers {prediction.lesion_fraction:.0%} of it"
        if prediction.mask.any()
        else "no lesion"
    )
    seen = (
        "the whole image"
        if prediction.view == "full"
        else f"a square of {box.width} pixels, {box.x0} from the left and {box.y0} from the top"
    )
    return f"The image with {found}. The classifier saw {seen}: {diagnosis_name(prediction.diagnosis)}."


def _component() -> Callable[..., Any]:
    """The component; each run of the page registers it anew, as each session may be another's first."""
    return st.components.v2.component(
        "lesion-viewer", html=_source("html"), css=_source("css"), js=_source("js")
    )


@cache
def _source(kind: str) -> str:
    return (TEMPLATES / f"viewer.{kind}").read_text("utf-8")
