"""Many images: a table to sort, files to download, and the image that the reader picks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pipeline.app.fragments import full_name
from pipeline.app.settings import MOST_FILES
from pipeline.app.sources import Picture
from pipeline.prediction.gallery import Outcome, csv_text, html_page, predict_file
from pipeline.prediction.predictor import LesionPipeline

# Column of the table -> the fact of a prediction that it shows in percent.
SHARES = {"Confidence": "confidence", "Malignant": "malignant", "Lesion area": "lesion_fraction"}
PERCENT = "%.1f%%"


def show_many(pipeline: LesionPipeline, pictures: Sequence[Picture]) -> Picture:
    """Show the table of all images, and return the one to look at."""
    outcomes = dict(zip((picture.key for picture in pictures), _predict(pipeline, pictures), strict=True))
    failed = sum(bool(outcome.error) for outcome in outcomes.values())
    st.subheader(f"{len(outcomes) - failed} of {len(outcomes)} images predicted", anchor=False)
    if st.session_state.get("left_out", 0) > 0:
        st.warning(
            f"{st.session_state.left_out} images beyond the first {MOST_FILES} are left out; "
            "`lesion predict` takes any number."
        )
    st.dataframe(
        _table(outcomes.values()),
        hide_index=True,
        key="table",
        selection_mode="single-row",
        on_select=lambda: _pick_row(pictures),
        column_config=_columns(),
        placeholder="–",
        alt="The images with their diagnosis, confidence, malignant probability, lesion area and notes",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _offer_downloads(pipeline, list(outcomes.values()))
    names = {picture.key: picture.name for picture in pictures}
    chosen = st.selectbox(
        "Image to look at; a click on a row picks it as well",
        list(names),
        format_func=names.__getitem__,
        key="picked",
    )
    return next(picture for picture in pictures if picture.key == chosen)


def _predict(pipeline: LesionPipeline, pictures: Sequence[Picture]) -> Iterator[Outcome]:
    """The outcomes in the pictures' order; those of an earlier run of the page are kept."""
    known = st.session_state.get("outcomes", {})
    outcomes: dict[str, Outcome] = {}
    st.session_state.outcomes = outcomes
    new = [picture for picture in pictures if picture.key not in known]
    bar = st.progress(0.0) if new else None
    for picture in pictures:
        if bar and picture.key not in known:
            done = sum(key not in known for key in outcomes)
            bar.progress(done / len(new), text=f"Image {done + 1} of {len(new)}")
        outcome = known.get(picture.key) or predict_file(pipeline, picture.name, picture.content)
        outcomes[picture.key] = outcome
        yield outcome
    if bar:
        bar.empty()


def _table(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "Image": outcome.name,
            "Diagnosis": full_name(outcome.facts["diagnosis"]) if outcome.facts else "could not be used",
            **{column: outcome.facts.get(fact) for column, fact in SHARES.items()},
            "Notes": outcome.error or "; ".join(outcome.facts["notes"]),
        }
        for outcome in outcomes
    )
    table[list(SHARES)] = 100 * table[list(SHARES)].astype(float)
    return table


def _columns() -> dict[str, Any]:
    share = st.column_config.NumberColumn(format=PERCENT)
    bar = st.column_config.ProgressColumn(format=PERCENT, min_value=0, max_value=100)
    return {"Confidence": share, "Malignant": bar, "Lesion area": share}


def _pick_row(pictures: Sequence[Picture]) -> None:
    rows = st.session_state.table.selection.rows
    if rows and rows[0] < len(pictures):
        st.session_state.picked = pictures[rows[0]].key


def _offer_downloads(pipeline: LesionPipeline, outcomes: Sequence[Outcome]) -> None:
    st.download_button(
        "Table (csv)",
        lambda: csv_text(outcomes, pipeline.bundle.classes),
        "predictions.csv",
        "text/csv",
        on_click="ignore",
    )
    st.download_button(
        "Report (html)",
        lambda: html_page(outcomes, pipeline.bundle),
        "predictions.html",
        "text/html",
        on_click="ignore",
    )
