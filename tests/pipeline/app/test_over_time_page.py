"""The page of one lesion at two times, without a browser."""

import re
from html import unescape

import pytest

from pipeline.app.over_time_page import _in_percent
from pipeline.app.visit import Picture, Visit

AppTest = pytest.importorskip("streamlit.testing.v1").AppTest


def script(predictor, visit) -> None:
    import streamlit as st  # noqa: PLC0415 - Streamlit runs this function's source by itself

    from pipeline.app.over_time_page import show_over_time  # noqa: PLC0415

    st.session_state["visit"] = visit
    show_over_time(predictor)


@pytest.fixture
def compare(pipeline, write_image, tmp_path):
    """A function of two images of 0.05 mm a pixel -> what the page says of them, without its tags."""

    def compare(earlier, later) -> str:
        visit = Visit()
        for name, image in (("earlier.png", earlier), ("later.png", later)):
            picture = Picture.of(name, write_image(tmp_path / name, image).read_bytes())
            visit.pictures[picture.key] = picture
            visit.change(picture.key, millimetres_per_pixel=0.05)
        page = AppTest.from_function(
            script, default_timeout=180, kwargs={"predictor": pipeline, "visit": visit}
        ).run()
        assert not page.exception
        html = " ".join(each.proto.body for each in page.get("html"))
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())

    return compare


def test_a_lesion_that_has_grown_is_told_and_one_that_is_the_same_is_not(compare, draw_disc):
    grown = compare(draw_disc(radius=60), draw_disc(radius=66))
    same = compare(draw_disc(radius=60), draw_disc(radius=60))

    change = re.search(r"Area [\d.]+ mm² [\d.]+ mm² \+([\d.]+)%", grown)
    assert change and float(change[1]) == pytest.approx(21, abs=2)
    assert re.search(r"Area ([\d.]+ mm²) \1 0\.0%", same)
    assert "the frame cuts the lesion off" not in grown + same


def test_a_lesion_that_the_frame_cuts_off_is_told(compare, draw_disc):
    words = compare(draw_disc(radius=60), draw_disc(radius=60, centre=(200, 20)))

    assert "In later.png the frame cuts the lesion off: size and shape are lower bounds" in words


def test_a_change_that_rounds_to_nothing_has_no_sign():
    assert [_in_percent(change) for change in (-0.0004, 0.0, 0.126, -0.05)] == [
        "0.0%",
        "0.0%",
        "+12.6%",
        "-5.0%",
    ]
