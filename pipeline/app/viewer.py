"""The picture with the lesion's contour, the activation map, and tools: a box, a brush, a ruler."""

import base64
from typing import Any

import streamlit as st

from data.datasets.diagnoses import diagnosis_name
from pipeline.app.components import component
from pipeline.app.controls import keep_box
from pipeline.app.drawings import contour_path, evidence_range, evidence_uri
from pipeline.app.look import Look
from pipeline.app.measuring import keep_scale
from pipeline.app.visit import Picture, Visit, remembered
from segmentation.cropping import Box

SCRIPTS = ("geometry", "brush", "ruler", "zoom", "viewer")
DATA_URI = "data:image/png;base64,"


def show_viewer(visit: Visit, picture: Picture, look: Look, photo: str, explained: str) -> None:
    """Show an image with what was found in it, and note what the reader draws.

    Parameters
    ----------
    visit, picture, look : whose image it is, and what was made of it
    photo : data URI of the image
    explained : the class whose activation map is laid over
    """
    key = f"viewer-{picture.key}"
    prediction = look.prediction
    height, width = look.size
    whole = prediction.view == "full"
    seen = Box(0, 0, width, height) if whole else look.box
    place = list(prediction.probabilities).index(explained)
    contour = visit.reading(picture.key).contour
    component("viewer", *SCRIPTS)(
        key=key,
        data={
            "photo": photo,
            "width": width,
            "height": height,
            "contour": remembered("contour", (picture.key, contour), lambda: contour_path(prediction.mask)),
            "drawn": contour is not None,
            "evidence": evidence_uri(prediction.activation_map, place),
            "range": [f"{value:.1f}" for value in evidence_range(prediction.activation_map)],
            "explained": diagnosis_name(explained),
            "seen": {"x": seen.x0, "y": seen.y0, "width": seen.width, "height": seen.height},
            "box": _square(look.box),
            "automatic": _square(look.automatic) if look.own and look.automatic else None,
            "whole": whole,
            "description": describe(look),
        },
        on_box_change=lambda: _take_box(visit, picture, look, key),
        on_contour_change=lambda: _take_contour(visit, picture, key),
        on_scale_change=lambda: _take_scale(visit, picture, look, key),
    )


def describe(look: Look) -> str:
    """The picture in words, for those who can't see it."""
    prediction, box = look.prediction, look.box
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


def _square(box: Box) -> dict[str, int]:
    return {"x0": box.x0, "y0": box.y0, "side": box.width}


def _drawn(key: str, name: str) -> Any:
    return getattr(st.session_state[key], name)


def _take_box(visit: Visit, picture: Picture, look: Look, key: str) -> None:
    if drawn := _drawn(key, "box"):
        keep_box(visit, picture, look.size, drawn["x0"], drawn["y0"], drawn["side"])


def _take_contour(visit: Visit, picture: Picture, key: str) -> None:
    if drawn := _drawn(key, "contour"):
        png = drawn.get("png")
        visit.change(picture.key, contour=base64.b64decode(png.removeprefix(DATA_URI)) if png else None)


def _take_scale(visit: Visit, picture: Picture, look: Look, key: str) -> None:
    if drawn := _drawn(key, "scale"):
        keep_scale(visit, picture, look.size, drawn["millimetres"] / drawn["pixels"])
