"""Many images: a list to work through, the riskiest first, and the files that it is handed out as."""

from typing import Any

import streamlit as st

from pipeline.app.batch import outcome_of_picture, waiting
from pipeline.app.components import component
from pipeline.app.fragments import full_name, percent, show
from pipeline.app.visit import Visit
from pipeline.prediction.gallery import csv_text, html_page
from pipeline.prediction.outcomes import Outcome
from pipeline.prediction.predictor import LesionPipeline
from pipeline.reports.pictures import data_uri

KEY = "worklist"


def show_worklist(pipeline: LesionPipeline, visit: Visit) -> None:
    """Show the table of all images that are predicted, and let the reader pick one."""
    known = {
        key: outcome_of_picture(pipeline, visit, picture)
        for key, picture in visit.pictures.items()
        if key in visit.outcomes
    }
    failed = sum(bool(outcome.error) for outcome in known.values())
    show("title", text=f"{len(known) - failed} of {len(visit.pictures)} images predicted")
    st.toggle(
        "Quiz: hide the answers until I have given mine",
        value=visit.quiz,
        key="quiz",
        on_change=_take_quiz,
        args=(visit,),
    )
    rows = [_row(key, outcome, visit) for key, outcome in known.items()]
    component("worklist")(
        key=KEY,
        data={
            "rows": rows,
            "picked": visit.picked,
            "hidden": visit.quiz,
            "first": None if visit.quiz else "malignant",
        },
        on_picked_change=lambda: _take_picked(visit),
    )
    if visit.quiz:
        show("score", **_score(known, visit))
    if not waiting(visit) or visit.stopped:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _offer_downloads(pipeline, list(known.values()))


def _take_picked(visit: Visit) -> None:
    picked = st.session_state[KEY].picked
    if picked in visit.pictures:
        visit.picked = picked


def _take_quiz(visit: Visit) -> None:
    visit.quiz = st.session_state.quiz


def _row(key: str, outcome: Outcome, visit: Visit) -> dict[str, Any]:
    facts = outcome.facts
    row: dict[str, Any] = {
        "key": key,
        "name": outcome.name,
        "picture": data_uri("jpeg", outcome.thumbnail) if outcome.thumbnail else "",
        "error": outcome.error,
        "own": full_name(outcome.remarks.diagnosis) if outcome.remarks.diagnosis else "",
        "malignant": None,
    }
    if facts and not visit.quiz:
        row |= {
            "diagnosis": "; ".join(filter(None, (outcome.headline, full_name(facts["diagnosis"])))),
            "malignant": facts["malignant"],
            "risk": percent(facts["malignant"]),
            "confidence": facts["confidence"],
            "sure": percent(facts["confidence"]),
            "overruled": outcome.overruled,
            "notes": "; ".join([*facts["notes"], *outcome.quality]),
        }
    return row


def _score(known: dict[str, Outcome], visit: Visit) -> dict[str, int]:
    """Of the images answered and revealed: how often the reader agreed with the models, and with the drawings."""
    asked = [
        key for key in known if key in visit.revealed and known[key].remarks.diagnosis and known[key].facts
    ]
    drawn = [key for key in asked if visit.pictures[key].drawn_as]
    return {
        "asked": len(asked),
        "agreed": sum(known[key].remarks.diagnosis == known[key].facts["diagnosis"] for key in asked),
        "drawn": len(drawn),
        "right": sum(known[key].remarks.diagnosis == visit.pictures[key].drawn_as for key in drawn),
    }


def _offer_downloads(pipeline: LesionPipeline, outcomes: list[Outcome]) -> None:
    st.download_button(
        "Table of all (csv)",
        lambda: csv_text(outcomes, pipeline.bundle),
        "predictions.csv",
        "text/csv",
        on_click="ignore",
    )
    st.download_button(
        "Report of all (html)",
        lambda: html_page(outcomes, pipeline.bundle),
        "predictions.html",
        "text/html",
        on_click="ignore",
    )
