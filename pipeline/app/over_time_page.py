"""The page of one lesion at two times: both photographs laid on each other, and what has changed in numbers."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from data.images import ImageError
from data.resizing import resize, resize_mask
from pipeline.app.drawings import contour_path
from pipeline.app.fragments import html_of, show
from pipeline.app.visit import Picture, Visit, current_visit, hold, remembered
from pipeline.prediction.outcomes import measured
from pipeline.prediction.overruling import predict_overruled
from pipeline.prediction.predictor import CUT_OFF, LesionPipeline
from pipeline.prediction.reading import Photograph
from pipeline.reports.pictures import data_uri, jpeg_uri
from segmentation.registration import Alignment, align
from segmentation.shape import Measurement

SHOWN_SIDE = 900


@dataclass(frozen=True, eq=False)
class Moment:
    """One of the two photographs: its pixels, reduced to what is shown, with the contour that counts for it."""

    name: str
    pixels: np.ndarray
    mask: np.ndarray
    measurements: tuple[Measurement, ...]
    millimetres: bool
    reduction: float
    cut_off: bool


def show_over_time(pipeline: LesionPipeline) -> None:
    """Let the reader choose two of the images, and compare them."""
    visit = current_visit()
    show("heading", text="The same lesion over time")
    if len(visit.pictures) < 2:
        st.info("Give two photographs of one lesion on the page “Images”, then come back.")
        return
    earlier, later = _choose(visit)
    if earlier.key == later.key:
        st.info("These are one and the same; choose two.")
        return
    key = tuple((each.key, visit.reading(each.key)) for each in (earlier, later))
    try:
        before: Moment = remembered("earlier", key, lambda: _moment(pipeline, visit, earlier))
        after: Moment = remembered("later", key, lambda: _moment(pipeline, visit, later))
    except ImageError as error:
        show("complaint", text=str(error))
        return
    if not all(moment.mask.any() and moment.measurements for moment in (before, after)):
        st.warning("In one of the two no lesion was found; draw its contour on the page “Images”.")
        return
    alignment: Alignment = remembered("alignment", key, lambda: _aligned(before, after))
    _show_pictures(before, after, alignment)
    show(
        "changes",
        rows=_changes(before, after, alignment),
        cut_off=[moment.name for moment in (before, after) if moment.cut_off],
        by=alignment.by,
        matches=alignment.matches,
    )


def _choose(visit: Visit) -> tuple[Picture, Picture]:
    names = {key: picture.name for key, picture in visit.pictures.items()}
    chosen = []
    for column, label, place in zip(st.columns(2), ("Earlier", "Later"), (0, 1), strict=True):
        held = visit.moments[place] if visit.moments and visit.moments[place] in names else list(names)[place]
        hold(label, held)
        chosen.append(
            column.selectbox(
                label, list(names), format_func=names.__getitem__, key=label, on_change=_take, args=(visit,)
            )
        )
    visit.moments = chosen[0], chosen[1]
    return visit.pictures[chosen[0]], visit.pictures[chosen[1]]


def _take(visit: Visit) -> None:
    visit.moments = st.session_state["Earlier"], st.session_state["Later"]


def _moment(pipeline: LesionPipeline, visit: Visit, picture: Picture) -> Moment:
    photograph: Photograph = pipeline.open(picture.content)
    reading = visit.reading(picture.key)
    prediction = predict_overruled(pipeline, photograph, reading.overrule(pipeline.bundle))
    mask = prediction.mask
    scale = reading.millimetres_per_pixel
    reduction = min(1.0, SHOWN_SIDE / max(photograph.size))
    size = round(photograph.size[0] * reduction), round(photograph.size[1] * reduction)
    return Moment(
        picture.name,
        resize(photograph.pixels, size),
        resize_mask(mask, size),
        measured(photograph, mask, scale),
        scale is not None,
        reduction,
        CUT_OFF in prediction.notes,
    )


def _aligned(earlier: Moment, later: Moment) -> Alignment:
    return align(earlier.pixels, later.pixels, earlier.mask, later.mask)


def _show_pictures(earlier: Moment, later: Moment, alignment: Alignment) -> None:
    """Both photographs as pictures of their own: Streamlit takes every drawing out of a page's html."""
    size = height, width = earlier.mask.shape
    pixels, mask = alignment.laid(later.pixels, size), alignment.laid(later.mask, size)
    drawn = {
        "height": height,
        "width": width,
        "stroke": round(max(size) / 220, 1),
        "before": contour_path(earlier.mask),
        "after": contour_path(mask),
    }
    photographs = {
        f"Earlier: {earlier.name}": earlier.pixels,
        f"Later, laid on the earlier: {later.name}": pixels,
    }
    pictures = [
        (name, data_uri("svg+xml", html_of("moment", uri=jpeg_uri(each), **drawn).encode()))
        for name, each in photographs.items()
    ]
    show("moments", pictures=pictures)


def _in_percent(change: float) -> str:
    """A change, a share, with its sign; one that rounds to nothing has none."""
    rounded = round(100 * change, 1)
    return f"{rounded:+.1f}%" if rounded else "0.0%"


def _changes(earlier: Moment, later: Moment, alignment: Alignment) -> list[dict[str, object]]:
    """One row a measurement: both values, and their ratio where it means something.

    Lengths and areas compare in millimetres where both scales are known, else in the earlier image's pixels where the
    skin was matched, and not at all where neither holds.
    """
    both_known = earlier.millimetres and later.millimetres
    enlargement = alignment.scale * later.reduction / earlier.reduction
    rows: list[dict[str, object]] = []
    for before, after, power in zip(earlier.measurements, later.measurements, (2, 1, 0, 0, 0), strict=True):
        if power and not both_known:
            if earlier.millimetres or later.millimetres or alignment.by != "skin":
                rows.append(
                    {"name": before.name, "before": before, "after": after, "change": "not comparable"}
                )
                continue
            after = Measurement(  # noqa: PLW2901 - the same in the earlier image's pixels
                after.name, after.value * enlargement**power, after.unit, after.meaning, after.source
            )
        change = _in_percent(after.value / before.value - 1) if before.value else "not comparable"
        rows.append({"name": before.name, "before": before, "after": after, "change": change})
    return rows
