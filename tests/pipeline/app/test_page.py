"""The page's journeys, without a browser."""

import re
import sys
from html import unescape
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.images import read_image
from segmentation.cropping import Box
from segmentation.shape import measure_lesion

AppTest = pytest.importorskip("streamlit.testing.v1").AppTest

MAIN = Path(__file__).parents[3] / "pipeline" / "app" / "main.py"


@pytest.fixture
def page(bundle_folder, monkeypatch):
    """The page as it opens, with the bundle of rules."""
    monkeypatch.setattr(sys, "argv", [str(MAIN), str(bundle_folder)])
    return AppTest.from_file(str(MAIN), default_timeout=60).run()


def png(image) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def upload(page, *files):
    """The page after giving it files: (name, content)."""
    page.file_uploader[0].set_value([(name, content, "image/png") for name, content in files]).run()
    assert not page.exception
    return page


def texts(page) -> list[str]:
    """What each piece of html says, without its tags."""
    return [
        " ".join(
            unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", each.proto.body, flags=re.DOTALL)).split()
        )
        for each in page.get("html")
    ]


def diagnosis_card(page) -> str:
    return next(text for text in texts(page) if "they sum to 100%" in text)


def percent(share) -> str:
    return f"{share:.1%}"


def choose(page, view):
    control = next(each for each in page.get("segmented_control") if each.label == "The classifier looks at")
    control.set_value(view).run()
    assert not page.exception
    return page


def number_input(page, label):
    return next(each for each in page.number_input if each.label.startswith(label))


def test_it_opens_with_what_it_is_and_is_not(page):
    assert not page.exception
    assert any("not a medical device" in text for text in texts(page))
    assert any("nothing is sent anywhere" in text for text in texts(page))


def test_an_image_gets_the_numbers_of_the_pipeline_and_full_names(page, pipeline, draw_disc):
    image = draw_disc((90, 30, 30))
    card = diagnosis_card(upload(page, ("disc.png", png(image))))
    prediction = pipeline.predict(image)

    assert card.startswith(f"melanoma (mel) {percent(prediction.confidence)}")
    assert f"Malignant {percent(prediction.malignant)}" in card
    ranked = sorted(prediction.probabilities.values(), reverse=True)
    assert [percent(share) for share in ranked] == re.findall(r"\d+\.\d%", card)[3:10]


def test_a_drawn_example_opens_by_a_click(page):
    page.get("segmented_control")[0].set_value("Drawn examples").run()
    next(button for button in page.button if button.label == "melanoma").click().run()

    assert not page.exception
    assert "drawn_" in " ".join(texts(page))
    assert diagnosis_card(page)


def test_the_full_image_changes_the_diagnosis(page, pipeline, draw_disc):
    image = draw_disc((90, 30, 30), radius=30)
    image[:, 300:] = (200, 200, 255)
    crop = diagnosis_card(upload(page, ("disc.png", png(image))))
    full = diagnosis_card(choose(page, "Full image"))

    assert percent(pipeline.predict(image, view="crop").confidence) in crop
    expected = pipeline.predict(image, view="full")
    assert expected.diagnosis == "vasc"
    assert full.startswith(f"vascular lesion (vasc) {percent(expected.confidence)}")


def test_crop_and_full_image_stand_side_by_side(page, pipeline, draw_disc):
    image = draw_disc((90, 30, 30), radius=30)
    looks = [
        text
        for text in texts(upload(page, ("disc.png", png(image))))
        if text.startswith(("Crop", "Full image"))
    ]

    assert [look.split()[0] for look in looks] == ["Crop", "Full"]
    for look, view in zip(looks, ("crop", "full"), strict=True):
        assert percent(pipeline.predict(image, view=view).probabilities["mel"]) in look


def test_the_margin_is_the_readers(page, pipeline, draw_disc):
    image = draw_disc((90, 30, 30), radius=30)
    upload(page, ("disc.png", png(image))).slider[0].set_value(1.0).run()

    assert percent(pipeline.predict(image, margin=1.0).confidence) in diagnosis_card(page)
    assert pipeline.predict(image, margin=1.0).confidence < pipeline.predict(image).confidence


def test_a_box_of_the_readers_is_what_the_classifier_sees(page, pipeline, draw_disc):
    image = draw_disc((90, 30, 30))
    image[:80, :80] = (30, 30, 90)
    choose(upload(page, ("disc.png", png(image))), "Your box")
    assert number_input(page, "Side").value == pipeline.predict(image).box.width, (
        "it starts around the lesion"
    )

    for label, value in {"Side": 60, "Left": 10, "Top": 15}.items():
        number_input(page, label).set_value(value).run()

    expected = pipeline.predict(image, box=Box(10, 15, 70, 75))
    assert expected.diagnosis == "vasc"
    assert diagnosis_card(page).startswith(f"vascular lesion (vasc) {percent(expected.confidence)}")


def test_measurements_come_in_millimetres_where_the_scale_is_given(page, pipeline, draw_disc):
    image = draw_disc((90, 30, 30))
    upload(page, ("disc.png", png(image)))
    number_input(page, "Width of the image").set_value(20.0).run()

    table = next(text for text in texts(page) if text.startswith("Measurement"))
    area, diameter = measure_lesion(image, pipeline.predict(image).mask, 20 / 400)[:2]
    assert f"Area {area.value:.2f} mm²" in table
    assert f"Largest diameter {diameter.value:.2f} mm" in table


def test_without_a_lesion_the_page_says_what_was_used(page):
    upload(page, ("skin.png", png(np.full((100, 120, 3), 230, np.uint8))))

    assert "No lesion found: whole image used." in diagnosis_card(page)
    assert "There is no contour of a lesion to measure." in texts(page)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no image", "is not a JPEG"),
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "cut short"),
    ],
)
def test_a_file_that_is_no_image_is_a_line(page, content, complaint):
    upload(page, ("broken.png", content))

    assert any(text.startswith("broken.png: ") and complaint in text for text in texts(page))


def test_a_name_is_shown_as_text_and_never_as_markup(page, draw_disc):
    name = "![](x.png) <img src=y>.png"
    upload(page, (name, png(draw_disc())), (f"broken {name}", b"no image"))

    html = " ".join(each.proto.body for each in page.get("html"))
    assert "![](x.png) &lt;img src=y&gt;.png" in html
    assert "<img src=y>" not in html
    assert not any(
        "x.png" in each.value for kind in ("markdown", "subheader", "caption") for each in page.get(kind)
    )


def test_many_images_are_a_table_in_which_a_broken_one_is_a_line(page, pipeline, draw_disc):
    colours = {"red.png": (90, 30, 30), "green.png": (30, 90, 30)}
    files = [(name, png(draw_disc(colour))) for name, colour in colours.items()]
    upload(page, files[0], ("broken.png", b"no image"), files[1])

    table = page.dataframe[0].value
    assert list(table["Image"]) == ["red.png", "broken.png", "green.png"]
    assert list(table["Diagnosis"]) == ["melanoma (mel)", "could not be used", "melanocytic naevus (nv)"]
    expected = [pipeline.predict(draw_disc(colour)) for colour in colours.values()]
    assert table["Malignant"][[0, 2]].tolist() == pytest.approx([100 * each.malignant for each in expected])
    assert "is not a JPEG" in table["Notes"][1]
    assert [button.label for button in page.get("download_button")] == ["Table (csv)", "Report (html)"]


def test_the_picked_one_of_many_is_shown(page, draw_disc):
    upload(page, ("red.png", png(draw_disc((90, 30, 30)))), ("green.png", png(draw_disc((30, 90, 30)))))
    picker = next(each for each in page.selectbox if each.label.startswith("Image to look at"))
    assert diagnosis_card(page).startswith("melanoma (mel)")

    picker.select_index(1).run()
    assert diagnosis_card(page).startswith("melanocytic naevus (nv)")


def test_removing_forgets_every_image(page, draw_disc):
    upload(page, ("red.png", png(draw_disc())))
    next(button for button in page.button if button.label == "Remove all images").click().run()

    assert not page.exception
    assert not any("they sum to 100%" in text for text in texts(page))
    assert "pictures" not in page.session_state
    assert "remembered-image" not in page.session_state


def test_every_drawn_example_is_an_image_that_comes_along():
    from pipeline.app.sources import _examples  # noqa: PLC0415

    assert len(_examples()) == 7
    assert all(read_image(path).size for path in _examples())
