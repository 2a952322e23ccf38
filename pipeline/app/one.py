"""One image: what is found, what it is called, and what the reader makes of it."""

import streamlit as st

from data.images import ImageError
from pipeline.app.case import show_case
from pipeline.app.controls import show_controls, show_remarks
from pipeline.app.fragments import full_name, percent, show
from pipeline.app.look import SHOWN_SIDE, Look, look_at
from pipeline.app.measuring import show_measurements
from pipeline.app.readings import LESION, OWN
from pipeline.app.viewer import show_viewer
from pipeline.app.visit import Picture, Visit, remembered
from pipeline.prediction.outcomes import quality_notes
from pipeline.prediction.predictor import LesionPipeline, Prediction
from pipeline.prediction.track_record import track_record
from pipeline.prediction.wording import MEANINGS
from pipeline.reports.pictures import jpeg_uri, reduced
from segmentation.cropping import Box


def show_one(pipeline: LesionPipeline, visit: Visit, picture: Picture) -> None:
    """Show the prediction of one image, and let the reader overrule and note what is his to say."""
    try:
        look = look_at(pipeline, visit, picture)
    except ImageError as error:
        show("complaint", text=str(error).replace("image:", f"{picture.name}:", 1))
        return
    hidden = visit.quiz and picture.key not in visit.revealed
    show("name", name=picture.name, drawn_as=picture.drawn_as, hidden=hidden)
    if hidden:
        _show_question(pipeline, visit, picture, look)
        return
    _show_answer(pipeline, visit, picture, look)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_picture(visit, picture, look)
    with right:
        show("prediction", prediction=look.prediction, malignant=pipeline.bundle.malignant)
        show_controls(pipeline, visit, picture, look)
    _show_looks(pipeline, picture, look)
    measurements = show_measurements(visit, picture, look)
    show_remarks(pipeline, visit, picture)
    show_case(pipeline, visit, picture, look, measurements)


def spoken(visit: Visit) -> str:
    """The result of the image that is looked at, as a screen reader says it when it is there."""
    held = visit.remembered.get("look")
    picture = visit.pictures.get(visit.picked or "")
    if not picture or held is None or held[0][0] != picture.key or visit.quiz:
        return ""
    prediction = held[1].prediction
    lead = f"{prediction.headline.capitalize()}. " if prediction.headline else ""
    return f"{picture.name}: {lead}{full_name(prediction.diagnosis)}, {percent(prediction.confidence)}."


def _show_answer(pipeline: LesionPipeline, visit: Visit, picture: Picture, look: Look) -> None:
    reading = visit.reading(picture.key)
    overruled = reading.overrule(pipeline.bundle).words(pipeline.bundle)
    show(
        "answer",
        prediction=look.prediction,
        meanings=MEANINGS,
        overruled=overruled,
        quality=remembered(
            "quality", picture.key, lambda: quality_notes(look.photograph, look.prediction.mask)
        ),
        record=_record(pipeline, look),
        classified=_classified(look, reading.chosen(pipeline.bundle)),
    )


def _classified(look: Look, choice: str) -> str:
    if look.prediction.view == "full":
        return "the whole image"
    return {OWN: "your box", LESION: "the crop around the lesion"}.get(choice, "the crop")


def _record(pipeline: LesionPipeline, look: Look) -> str:
    record = track_record(pipeline.bundle, look.prediction.diagnosis)
    return record.words if record else ""


def _show_question(pipeline: LesionPipeline, visit: Visit, picture: Picture, look: Look) -> None:
    show("plain", uri=_photo(picture, look), alt="The image to be judged")
    show_remarks(pipeline, visit, picture)
    st.button(
        "Show the answer", on_click=visit.revealed.add, args=(picture.key,), key="reveal", type="primary"
    )


def _photo(picture: Picture, look: Look) -> str:
    uri: str = remembered("photo", picture.key, lambda: jpeg_uri(reduced(look.photograph.pixels, SHOWN_SIDE)))
    return uri


def _show_picture(visit: Visit, picture: Picture, look: Look) -> None:
    explained = visit.reading(picture.key).explained or look.prediction.diagnosis
    show_viewer(visit, picture, look, _photo(picture, look), explained)


def _show_looks(pipeline: LesionPipeline, picture: Picture, look: Look) -> None:
    show("title", text="What the classifier saw, and what it would have said")
    seen: list[tuple[str, Prediction, Box | None]] = [("Full image", look.full, None)]
    if look.cropped.view == "crop":
        seen.insert(0, ("Your box" if look.own else "Crop", look.cropped, look.box))
    columns = st.columns(2, gap="large")
    for column, (name, prediction, box) in zip(columns, seen, strict=False):
        uri = remembered(name, (picture.key, box), lambda box=box: look.seen_uri(box))
        with column:
            show(
                "look",
                name=name,
                uri=uri,
                prediction=prediction,
                malignant=pipeline.bundle.malignant,
                chosen=prediction is look.prediction,
            )
