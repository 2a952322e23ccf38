"""One image: what is found, what it is called, and what the reader makes of the box."""

from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st

from data.images import ImageError, read_image
from pipeline.app.drawings import jpeg_uri
from pipeline.app.fragments import full_name, show
from pipeline.app.sources import Picture, remembered
from pipeline.app.viewer import show_viewer
from pipeline.prediction.predictor import LOW_CONFIDENCE, UNLIKE_TRAINING, LesionPipeline, Prediction
from segmentation.cropping import Box, crop, square_box
from segmentation.shape import measure_lesion

LESION, OWN, FULL = "The lesion", "Your box", "Full image"
DIAGNOSIS = "the diagnosis"
# What a note means for a reader who sees it for the first time.
DOUBTS = {
    LOW_CONFIDENCE: "take the diagnosis as undecided",
    UNLIKE_TRAINING: "the models have learned from nothing like it, and may be wrong however sure they are",
}
SHOWN_SIDE, SEEN_SIDE = 1200, 448
LARGEST_MARGIN = 1.0


class View(NamedTuple):
    """What the classifier is to look at: the margin counts for `LESION`, the box for `OWN`."""

    choice: str
    margin: float
    box: Box | None


class Looks(NamedTuple):
    """The predictions of one image from its crop, or the reader's box, and as a whole."""

    cropped: Prediction
    full: Prediction


def show_one(pipeline: LesionPipeline, picture: Picture) -> None:
    """Show the prediction of one image, and let the reader overrule where the classifier looks."""
    try:
        image = remembered("image", picture.key, lambda: read_image(picture.content, name=picture.name))
    except ImageError as error:
        show("complaint", text=str(error))
        return
    photo = remembered("photo", picture.key, lambda: jpeg_uri(image, SHOWN_SIDE))
    show("heading", text=picture.name)
    left, right = st.columns([3, 2], gap="large")
    view, explained = _show_controls(pipeline, picture, image)
    looks = remembered("looks", (picture.key, view), lambda: _look(pipeline, picture, view))
    prediction = looks.full if view.choice == FULL else looks.cropped
    box = view.box or prediction.box or _middle(image)
    with left:
        show_viewer(
            photo,
            prediction,
            box,
            explained or prediction.diagnosis,
            key=f"viewer-{picture.key}",
            on_drawn=lambda: _take_drawn(picture, image),
        )
    with right:
        show("prediction", prediction=prediction, doubts=DOUBTS)
    _show_both(picture, image, looks, box, prediction)
    _show_measurements(picture, image, prediction)


def _look(pipeline: LesionPipeline, picture: Picture, view: View) -> Looks:
    """Predict the file itself and not its pixels: a large photograph is read as the command line reads it."""
    return Looks(
        cropped=pipeline.predict(picture.content, view="crop", margin=view.margin, box=view.box),
        full=pipeline.predict(picture.content, view="full", margin=view.margin),
    )


def _show_controls(pipeline: LesionPipeline, picture: Picture, image: np.ndarray) -> tuple[View, str | None]:
    """The reader's view, and the class whose activation map to show; None for the diagnosis's."""
    bundle = pipeline.bundle
    st.session_state.setdefault(f"view-{picture.key}", LESION if bundle.view == "crop" else FULL)
    first, second, third = st.columns(3, gap="medium")
    choice = first.segmented_control(
        "The classifier looks at",
        [LESION, OWN, FULL],
        required=True,
        key=f"view-{picture.key}",
        wrap=True,
    )
    margin, box = bundle.crop_margin, None
    if choice == LESION:
        margin = second.slider(
            "Margin, as a part of its longer side",
            0.0,
            LARGEST_MARGIN,
            min(bundle.crop_margin, LARGEST_MARGIN),
            0.05,
            key=f"margin-{picture.key}",
            help=f"The classifier was trained with {bundle.crop_margin:g}.",
        )
    elif choice == OWN:
        with second:
            box = _show_own_box(pipeline, picture, image)
    explained = third.selectbox(
        "The activation map explains",
        [DIAGNOSIS, *bundle.classes],
        format_func=full_name,
        key=f"explained-{picture.key}",
    )
    return View(choice or LESION, margin, box), None if explained == DIAGNOSIS else explained


def _show_own_box(pipeline: LesionPipeline, picture: Picture, image: np.ndarray) -> Box:
    """The box that the reader has drawn, or types here; at first the one around the lesion."""
    height, width = image.shape[:2]
    if (held := _own_box(picture)) is None:
        held = st.session_state[f"own-{picture.key}"] = pipeline.predict(picture.content).box or _middle(
            image
        )
    st.caption("Drag the box or its corners in the picture, draw a new one, or give its place in pixels.")
    limits = {"left": width - 1, "top": height - 1, "side": min(height, width)}
    values = {"left": held.x0, "top": held.y0, "side": held.width}
    for column, (name, most) in zip(st.columns(3), limits.items(), strict=True):
        key = f"{name}-{picture.key}"
        st.session_state[key] = values[name]
        column.number_input(
            name.capitalize(),
            int(name == "side"),
            most,
            key=key,
            on_change=_take_typed,
            args=(picture, image),
        )
    return held


def _own_box(picture: Picture) -> Box | None:
    return st.session_state.get(f"own-{picture.key}")


def _take_typed(picture: Picture, image: np.ndarray) -> None:
    left, top, side = (st.session_state[f"{name}-{picture.key}"] for name in ("left", "top", "side"))
    _keep_box(picture, image, left, top, side)


def _take_drawn(picture: Picture, image: np.ndarray) -> None:
    drawn = st.session_state[f"viewer-{picture.key}"].drawn
    if drawn:
        _keep_box(picture, image, drawn["x0"], drawn["y0"], drawn["side"])
        st.session_state[f"view-{picture.key}"] = OWN


def _keep_box(picture: Picture, image: np.ndarray, left: float, top: float, side: float) -> None:
    middle = left + side / 2, top + side / 2
    st.session_state[f"own-{picture.key}"] = square_box(*middle, side, image.shape[:2])


def _middle(image: np.ndarray) -> Box:
    """Where there is no lesion to begin with: half the shorter side, in the middle."""
    height, width = image.shape[:2]
    return square_box(width / 2, height / 2, min(height, width) / 2, (height, width))


def _show_both(picture: Picture, image: np.ndarray, looks: Looks, box: Box, prediction: Prediction) -> None:
    st.subheader("What the classifier saw, and what it would have said", anchor=False)
    seen: list[tuple[str, Prediction, Box | None]] = [("Full image", looks.full, None)]
    if looks.cropped.view == "crop":
        seen.insert(0, ("Crop", looks.cropped, box))
    for column, (name, look, part) in zip(st.columns(2, gap="large"), seen, strict=False):
        uri = remembered(name, (picture.key, part), partial(_seen, image, part))
        with column:
            show("look", name=name, uri=uri, prediction=look, chosen=look is prediction)


def _seen(image: np.ndarray, box: Box | None) -> str:
    return jpeg_uri(crop(image, box) if box else image, SEEN_SIDE)


def _show_measurements(picture: Picture, image: np.ndarray, prediction: Prediction) -> None:
    st.subheader("What the lesion looks like, in numbers", anchor=False)
    millimetres = st.number_input(
        "Width of the image in millimetres, where you know it",
        min_value=0.1,
        max_value=1000.0,
        value=None,
        placeholder="unknown",
        key=f"width-{picture.key}",
        width=330,
    )
    scale = millimetres / image.shape[1] if millimetres else None
    measurements = remembered(
        "measurements", (picture.key, scale), lambda: measure_lesion(image, prediction.mask, scale)
    )
    show("measurements", measurements=measurements)
