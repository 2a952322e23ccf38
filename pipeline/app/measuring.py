"""The measurements of the image that is looked at, and the scale that they are taken at."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pipeline.app.fragments import show
from pipeline.app.look import Look
from pipeline.app.visit import Picture, Visit, hold, remembered
from pipeline.prediction.outcomes import measured
from segmentation.shape import Measurement
from segmentation.typical import range_of

RANGES = Path(__file__).with_name("typical_ranges.json")


def show_measurements(visit: Visit, picture: Picture, look: Look) -> tuple[Measurement, ...]:
    """Show the measurements of the contour, and take the scale; returns what was measured."""
    show("title", text="What the lesion looks like, in numbers")
    scale = scale_of(visit, picture, look.size)
    _show_width(visit, picture, look, scale)
    contour = visit.reading(picture.key).contour
    measurements: tuple[Measurement, ...] = remembered(
        "measurements",
        (picture.key, contour, scale),
        lambda: measured(look.photograph, look.prediction.mask, scale),
    )
    show(
        "measurements",
        measurements=measurements,
        typical=_typical(look.prediction.diagnosis, measurements),
        diagnosis=look.prediction.diagnosis,
        ranges=_ranges(),
    )
    return measurements


def _typical(diagnosis: str, measurements: tuple[Measurement, ...]) -> dict[str, tuple[float, float, float]]:
    """Measurement -> low end, median and high end among the training images of the diagnosis, where known."""
    found = {each.name: range_of(_ranges()["diagnoses"], diagnosis, each.name) for each in measurements}
    return {name: known for name, known in found.items() if known}


@cache
def _ranges() -> dict[str, Any]:
    """What `lesion dataset measure` has written."""
    ranges: dict[str, Any] = json.loads(RANGES.read_text("utf-8"))
    return ranges


def scale_of(visit: Visit, picture: Picture, size: tuple[int, int]) -> float | None:
    """Millimetres per pixel: of this image, or measured on another one of the same size in this visit."""
    own = visit.reading(picture.key).millimetres_per_pixel
    if own is None and size in visit.scales:
        own = visit.scales[size]
        visit.change(picture.key, millimetres_per_pixel=own)
    return own


def keep_scale(visit: Visit, picture: Picture, size: tuple[int, int], scale: float | None) -> None:
    """Note the scale for this image, and for those of the same size that come after it."""
    visit.change(picture.key, millimetres_per_pixel=scale)
    if scale is None:
        visit.scales.pop(size, None)
    else:
        visit.scales[size] = scale


def _show_width(visit: Visit, picture: Picture, look: Look, scale: float | None) -> None:
    key, pixels = f"width-{picture.key}", look.size[1]
    hold(key, None if scale is None else round(scale * pixels, 3))

    def take() -> None:
        width = st.session_state[key]
        keep_scale(visit, picture, look.size, width / pixels if width else None)

    st.number_input(
        "Width of the image in millimetres, where you know it",
        min_value=0.1,
        max_value=1000.0,
        placeholder="unknown",
        key=key,
        width=330,
        on_change=take,
        help="Or click twice on a ruler in the picture, with the tool “Scale”. It is kept for images of this size.",
    )
