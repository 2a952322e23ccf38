"""The reader's choices for one image, and what he writes beside it."""

import streamlit as st

from pipeline.app.fragments import full_name
from pipeline.app.look import Look, middle
from pipeline.app.readings import FULL, LESION, OWN
from pipeline.app.visit import Picture, Visit, hold
from pipeline.prediction.predictor import LesionPipeline
from segmentation.cropping import square_box

LARGEST_MARGIN = 1.0
DIAGNOSIS, UNDECIDED = "the diagnosis", "undecided"


def show_controls(pipeline: LesionPipeline, visit: Visit, picture: Picture, look: Look) -> None:
    """What the classifier looks at, and which class's activation map is shown.

    Widgets begin with what the visit holds and write to it: Streamlit forgets a widget's state when it isn't drawn.
    """
    reading, bundle = visit.reading(picture.key), pipeline.bundle
    choice = reading.chosen(bundle)
    key = f"view-{picture.key}"
    hold(key, choice)
    st.segmented_control(
        "The classifier looks at",
        [LESION, OWN, FULL],
        required=True,
        key=key,
        wrap=True,
        on_change=_take_choice,
        args=(visit, picture, look),
    )
    if choice == LESION:
        key = f"margin-{picture.key}"
        margin = bundle.crop_margin if reading.margin is None else reading.margin
        hold(key, min(margin, LARGEST_MARGIN))
        st.slider(
            "Margin, as a part of its longer side",
            0.0,
            LARGEST_MARGIN,
            step=0.05,
            key=key,
            help=f"The classifier was trained with {bundle.crop_margin:g}.",
            on_change=lambda: visit.change(picture.key, margin=st.session_state[key]),
        )
    elif choice == OWN:
        _show_own_box(visit, picture, look)
    _show_explained(pipeline, visit, picture)
    if reading.overrule(bundle):
        st.button(
            "Back to the automatic choice",
            on_click=lambda: visit.change(picture.key, choice=None, margin=None, box=None, contour=None),
            key=f"automatic-{picture.key}",
        )


def _show_explained(pipeline: LesionPipeline, visit: Visit, picture: Picture) -> None:
    key = f"explained-{picture.key}"
    hold(key, visit.reading(picture.key).explained or DIAGNOSIS)
    st.selectbox(
        "The activation map explains",
        [DIAGNOSIS, *pipeline.bundle.classes],
        format_func=full_name,
        key=key,
        on_change=lambda: visit.change(picture.key, explained=_unless(st.session_state[key], DIAGNOSIS)),
    )


def _unless(value: str, default: str) -> str | None:
    return None if value == default else value


def _take_choice(visit: Visit, picture: Picture, look: Look) -> None:
    choice = st.session_state[f"view-{picture.key}"]
    box = visit.reading(picture.key).box
    if choice == OWN and box is None:
        box = look.automatic or middle(look.size)
    visit.change(picture.key, choice=choice, box=box)


def _show_own_box(visit: Visit, picture: Picture, look: Look) -> None:
    """The box's place in numbers, for those who don't drag."""
    height, width = look.size
    box = look.box
    limits = {"left": width - 1, "top": height - 1, "side": min(height, width)}
    values = {"left": box.x0, "top": box.y0, "side": box.width}
    st.caption("Drag the box or its corners in the picture, draw a new one, or give its place in pixels.")
    for column, (name, most) in zip(st.columns(3), limits.items(), strict=True):
        key = f"{name}-{picture.key}"
        hold(key, values[name])
        column.number_input(
            name.capitalize(),
            int(name == "side"),
            most,
            key=key,
            on_change=_take_typed,
            args=(visit, picture, look.size),
        )


def _take_typed(visit: Visit, picture: Picture, size: tuple[int, int]) -> None:
    left, top, side = (st.session_state[f"{name}-{picture.key}"] for name in ("left", "top", "side"))
    keep_box(visit, picture, size, left, top, side)


def keep_box(
    visit: Visit, picture: Picture, size: tuple[int, int], left: float, top: float, side: float
) -> None:
    """Note a square of the reader's, moved and shrunk as far as needed to lie inside the image."""
    box = square_box(left + side / 2, top + side / 2, side, size)
    visit.change(picture.key, choice=OWN, box=box)


def show_remarks(pipeline: LesionPipeline, visit: Visit, picture: Picture) -> None:
    """The reader's own diagnosis, comment and name of the case, which go into every file that is handed out."""
    reading, classes = visit.reading(picture.key), pipeline.bundle.classes
    with st.container(key=f"remarks-{picture.key}", horizontal=True):
        key = f"diagnosis-{picture.key}"
        hold(key, reading.diagnosis or UNDECIDED)
        st.selectbox(
            "Your diagnosis",
            [UNDECIDED, *classes],
            format_func=full_name,
            key=key,
            on_change=_take_word,
            args=(visit, picture, "diagnosis"),
        )
        for field, label, most in (("case", "Case", 60), ("comment", "Comment", 400)):
            key = f"{field}-{picture.key}"
            hold(key, getattr(reading, field))
            st.text_input(label, key=key, max_chars=most, on_change=_take_word, args=(visit, picture, field))


def _take_word(visit: Visit, picture: Picture, field: str) -> None:
    word = st.session_state[f"{field}-{picture.key}"]
    visit.change(picture.key, **{field: "" if word == UNDECIDED else word})
