"""The page that `lesion app` serves, with a bundle's folder as its argument."""

import sys

import streamlit as st
from PIL import Image, ImageDraw

from pipeline.app.components import component
from pipeline.app.fragments import TEMPLATES, show
from pipeline.app.images_page import show_images
from pipeline.app.models import opened_pipeline
from pipeline.app.one import spoken
from pipeline.app.visit import current_visit
from pipeline.prediction.predictor import LesionPipeline


def main() -> None:
    """Lay out the frame, and in it the page that the reader has chosen."""
    st.set_page_config(page_title="Lesion", page_icon=_icon(), layout="wide")
    st.html(f"<style>{(TEMPLATES / 'style.css').read_text('utf-8')}</style>")
    pipeline = opened_pipeline(sys.argv[1] if len(sys.argv) > 1 else None)
    pages = [
        st.Page(lambda: show_images(pipeline), title="Images", url_path="images", default=True),
        st.Page(lambda: _show_over_time(pipeline), title="Over time", url_path="over-time"),
        st.Page(lambda: _show_model(pipeline), title="The model", url_path="model"),
    ]
    page = st.navigation(pages, position="hidden")
    show("top", brief=bool(current_visit().pictures))
    with st.container(horizontal=True, key="pages"):
        for each in pages:
            st.page_link(each)
    page.run()
    visit = current_visit()
    component("keeper")(key="keeper", data={"spoken": spoken(visit), "asks": bool(visit.pictures)})


def _show_over_time(pipeline: LesionPipeline) -> None:
    from pipeline.app.over_time_page import show_over_time  # noqa: PLC0415 - most visits never need it

    show_over_time(pipeline)


def _show_model(pipeline: LesionPipeline) -> None:
    from pipeline.app.model_page import show_model  # noqa: PLC0415 - the first image need not wait for matplotlib

    show_model(pipeline.bundle)


def _icon() -> Image.Image:
    """A lesion with its contour."""
    icon = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(icon).ellipse((5, 5, 58, 58), fill=(122, 78, 52), outline=(22, 160, 150), width=7)
    return icon


main()
