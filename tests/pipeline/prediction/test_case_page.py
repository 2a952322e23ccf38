import re
from dataclasses import replace

import pytest

from pipeline.prediction.case_page import case_page
from pipeline.prediction.outcomes import Remarks, predict_file
from pipeline.prediction.overruling import Overrule
from pipeline.prediction.track_record import track_record


@pytest.fixture
def content(draw_disc, write_image, tmp_path):
    return write_image(tmp_path / "red.png", draw_disc((90, 30, 30))).read_bytes()


def test_one_page_tells_the_whole_case_and_needs_nothing_from_outside(pipeline, content):
    outcome = predict_file(pipeline, "red.png", content, Overrule(margin=0.6), 0.05)
    page = case_page(outcome.with_remarks(Remarks("A <12>", "nv", "again in May")), b"jpeg", pipeline.bundle)

    assert "A &lt;12&gt;" in page and "<12>" not in page
    assert "Overruled by the reader: margin 0.6" in page
    for code, share in outcome.facts["probabilities"].items():
        assert (f"({code})" in page and f"{share:.1%}" in page) or share < 0.0005
    assert re.search(r"Area</th><td>\d+\.\d\d mm²", page)
    assert "Own diagnosis: <strong>melanocytic naevus (nv)" in page and "again in May" in page
    assert pipeline.bundle.name in page and "not a medical device" in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)


def test_an_image_unlike_the_training_images_has_no_reliable_answer(pipeline, content):
    outcome = predict_file(pipeline, "red.png", content)
    outcome.facts["notes"].append("unlike the training images")
    page = case_page(outcome, b"jpeg", pipeline.bundle)

    assert page.index("No reliable answer") < page.index("The models would have said melanoma (mel)")


def test_classes_that_the_user_declared_malignant_are_marked_so(pipeline, content):
    outcome = predict_file(pipeline, "red.png", content)
    line = '<th class="malignant">melanocytic naevus (nv)</th>'

    assert line not in case_page(outcome, b"jpeg", pipeline.bundle)
    assert line in case_page(outcome, b"jpeg", replace(pipeline.bundle, malignant=("nv",)))


def test_the_record_is_that_of_unseen_images_and_counts_both_ways(make_bundle, tmp_path):
    from pipeline.bundle.loading import load_bundle  # noqa: PLC0415

    seen = {"classes": ["mel", "nv"], "confusion": [[1, 0], [0, 1]]}
    unseen = {"classes": ["mel", "nv"], "confusion": [[98, 70], [54, 899]]}
    figures = {"validation": {"classification": seen}, "test": {"ham": {"classification": unseen}}}
    bundle = load_bundle(make_bundle(tmp_path / "bundle", figures=figures))
    record = track_record(bundle, "mel")

    assert record is not None
    assert record.words == (
        "On the test images (ham): of 168 with melanoma it named 98, "
        "and of 152 that it called melanoma, 98 were."
    )
    assert track_record(bundle, "bcc") is None
    assert track_record(load_bundle(make_bundle(tmp_path / "bare")), "mel") is None
