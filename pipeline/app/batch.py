"""Many images are predicted a few at a time, so that the page stays in the reader's hands."""

import time

import streamlit as st

from pipeline.app.visit import Picture, Visit
from pipeline.prediction.outcomes import Outcome, predict_file
from pipeline.prediction.predictor import LesionPipeline

AT_ONCE_SECONDS = 1.5


def outcome_of_picture(pipeline: LesionPipeline, visit: Visit, picture: Picture) -> Outcome:
    """What came out for a picture with the reader's present choices; computed anew only where these have changed."""
    reading = visit.reading(picture.key)
    choices = reading.overrule(pipeline.bundle), reading.millimetres_per_pixel
    known = visit.outcomes.get(picture.key)
    if known is None or known[0] != choices:
        known = choices, predict_file(pipeline, picture.name, picture.content, *choices)
        visit.outcomes[picture.key] = known
    return known[1].with_remarks(reading.remarks)


def waiting(visit: Visit) -> list[Picture]:
    """The pictures that nothing is known of yet."""
    return [picture for picture in visit.pictures.values() if picture.key not in visit.outcomes]


def predict_waiting(pipeline: LesionPipeline, visit: Visit) -> None:
    """Predict for a moment, and say how far it has come; the page's next run goes on."""
    rest = waiting(visit)
    if not rest:
        return
    total = len(visit.pictures)
    if visit.stopped:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Stopped after {total - len(rest)} of {total} images.")
            st.button(f"Go on with the other {len(rest)}", on_click=_stop, args=(visit, False), key="go-on")
        return
    row = st.empty()
    with row.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(
            (total - len(rest)) / total, text=f"{total - len(rest)} of {total} images predicted"
        )
        st.button("Stop", on_click=_stop, args=(visit, True), key="stop")
    start = time.monotonic()
    for picture in rest:
        outcome_of_picture(pipeline, visit, picture)
        if time.monotonic() - start > AT_ONCE_SECONDS:
            break
    done = total - len(waiting(visit))
    bar.progress(done / total, text=f"{done} of {total} images predicted")
    if done == total:
        row.empty()


def _stop(visit: Visit, stopped: bool) -> None:
    visit.stopped = stopped
