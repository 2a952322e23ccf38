"""The page of the reader's images: one, or a table of many and the chosen one."""

import streamlit as st

from pipeline.app.batch import predict_waiting, waiting
from pipeline.app.one import show_one
from pipeline.app.sources import show_refused, show_removal, show_sources
from pipeline.app.visit import current_visit
from pipeline.app.worklist import show_worklist
from pipeline.prediction.predictor import LesionPipeline


def show_images(pipeline: LesionPipeline) -> None:
    """Take images, and show what the pipeline says about them."""
    visit = current_visit()
    show_sources()
    show_refused()
    if visit.pictures:
        if visit.picked not in visit.pictures:
            visit.picked = next(iter(visit.pictures))
        if len(visit.pictures) > 1:
            predict_waiting(pipeline, visit)
            show_worklist(pipeline, visit)
        show_one(pipeline, visit, visit.pictures[visit.picked])
    show_removal()
    if len(visit.pictures) > 1 and waiting(visit) and not visit.stopped:
        st.rerun()
