"""The files of one image: its line of the table, its mask, its overlay, and a page to print."""

from pathlib import PurePath

import numpy as np
import streamlit as st

from pipeline.app.batch import outcome_of_picture
from pipeline.app.fragments import show
from pipeline.app.look import SEEN_SIDE, Look
from pipeline.app.visit import Picture, Visit
from pipeline.prediction.case_page import case_page
from pipeline.prediction.gallery import csv_text
from pipeline.prediction.outcomes import Outcome, outcome_of
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import LesionPipeline
from pipeline.prediction.reading import as_pixels
from pipeline.reports.pictures import encoded, reduced
from segmentation.shape import Measurement

OVERLAY_SIDE = 1600


def show_case(
    pipeline: LesionPipeline,
    visit: Visit,
    picture: Picture,
    look: Look,
    measurements: tuple[Measurement, ...],
) -> None:
    """Offer the files of the image that is looked at; each is made when it is asked for."""
    show("title", text="Take it along")
    stem = PurePath(picture.name).stem or "image"
    bundle = pipeline.bundle
    outcome = _outcome(pipeline, visit, picture, look, measurements)
    with st.container(horizontal=True):
        st.download_button(
            "Report (A4 page)",
            lambda: case_page(outcome, _seen(look), bundle),
            f"{stem}.html",
            "text/html",
            on_click="ignore",
            key="report-of-one",
        )
        st.download_button(
            "Table (csv)",
            lambda: csv_text([outcome], bundle),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            key="table-of-one",
        )
        st.download_button(
            "Mask (png)",
            lambda: encoded(look.prediction.mask.view(np.uint8) * 255, ".png"),
            f"{stem}_mask.png",
            "image/png",
            on_click="ignore",
            key="mask-of-one",
        )
        st.download_button(
            "Overlay (jpg)",
            lambda: encoded(
                reduced(draw_overlay(as_pixels(picture.content), look.prediction), OVERLAY_SIDE), ".jpg"
            ),
            f"{stem}_overlay.jpg",
            "image/jpeg",
            on_click="ignore",
            key="overlay-of-one",
        )


def _outcome(
    pipeline: LesionPipeline,
    visit: Visit,
    picture: Picture,
    look: Look,
    measurements: tuple[Measurement, ...],
) -> Outcome:
    """The outcome of what is shown, made from it, so that no figure of a file can differ from the page."""
    reading = visit.reading(picture.key)
    choices = reading.overrule(pipeline.bundle), reading.millimetres_per_pixel
    known = visit.outcomes.get(picture.key)
    if known is None or known[0] != choices:
        outcome = outcome_of(
            pipeline.bundle,
            picture.name,
            look.photograph,
            look.prediction,
            choices[0],
            choices[1],
            measurements,
        )
        visit.outcomes[picture.key] = choices, outcome
    return outcome_of_picture(pipeline, visit, picture)


def _seen(look: Look) -> bytes:
    part = look.part(look.box if look.prediction.view == "crop" else None)
    return encoded(reduced(part, SEEN_SIDE), ".jpg")
