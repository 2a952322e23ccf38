import re
from html import unescape

import pytest

AppTest = pytest.importorskip("streamlit.testing.v1").AppTest

INTERVAL = {"value": 0.75, "low": 0.7, "high": 0.8}
SCORES = {
    "images": 90,
    "lesions": 60,
    "balanced_accuracy": INTERVAL,
    "macro_f1": {"value": None, "low": None, "high": None},
    "macro_auc": INTERVAL,
    "calibration_error": INTERVAL,
    "per_class": {"mel": {"support": 30, "precision": INTERVAL, "recall": INTERVAL, "f1": INTERVAL}},
}
CARD = """# Model card

## Intended use

Teaching.

## Known gaps

Light skin only. ![](http://example.org/x.png)
"""


def model_page(folder):
    """The page of the bundle in this folder."""

    def script(folder):
        from pipeline.app.model_page import show_model  # noqa: PLC0415
        from pipeline.bundle.loading import load_bundle  # noqa: PLC0415

        show_model(load_bundle(folder))

    page = AppTest.from_function(script, args=(folder,), default_timeout=180).run()
    assert not page.exception
    return page


def text_of(page) -> str:
    html = " ".join(each.proto.body for each in page.get("html"))
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_figures_on_unseen_images_come_before_those_of_validation(make_bundle, tmp_path):
    validation = {"classification": SCORES | {"images": 11}}
    figures = {"validation": validation, "test": {"HAM": {"classification": SCORES}}}
    text = text_of(model_page(make_bundle(tmp_path / "bundle", figures=figures)))

    assert "On HAM, images that no model has seen: 90 images of 60 lesions" in text
    assert "melanoma (mel) 30 0.750 0.700–0.800" in text
    assert "Macro F1 –" in text


def test_limits_of_the_card_are_shown_and_its_pictures_are_not_fetched(make_bundle, tmp_path):
    folder = make_bundle(tmp_path / "bundle")
    (folder / "MODEL_CARD.md").write_text(CARD)
    page = model_page(folder)

    assert "Intended use" in text_of(page) and "Known gaps" in text_of(page)
    assert any("Light skin only." in each.value for each in page.markdown)
    assert not any("![" in each.value for each in page.markdown)


def test_a_bundle_without_figures_or_card_says_how_to_get_them(make_bundle, tmp_path):
    page = model_page(make_bundle(tmp_path / "bundle"))

    assert "lesion evaluate --record" in page.info[0].value
    assert any("no model card" in each.value for each in page.markdown)


def test_the_calibration_is_drawn_where_the_bundle_holds_it(make_bundle, tmp_path):
    reliability = {"edges": [0, 0.5, 1], "count": [0, 90], "confidence": [None, 0.8], "accuracy": [None, 0.7]}
    figures = {"validation": {"classification": SCORES | {"reliability": reliability}}}
    page = model_page(make_bundle(tmp_path / "bundle", figures=figures))

    (picture,) = (each.proto.body for each in page.get("html") if "data:image/png" in each.proto.body)
    assert 'alt="Accuracy over confidence: at 80% confidence right in 70%."' in picture
