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
    return AppTest.from_file(str(MAIN), default_timeout=180).run()


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


def answer(page) -> str:
    return next(text for text in texts(page) if "Classified: " in text)


def probabilities(page) -> str:
    return next(text for text in texts(page) if "they sum to 100%" in text)


def visit_of(page):
    return page.session_state["visit"]


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def pick(page, name):
    """What a click on a row of the table does."""
    visit = visit_of(page)
    visit.picked = next(key for key, picture in visit.pictures.items() if picture.name == name)
    return page.run()


def downloads(page) -> list[str]:
    return [button.label for button in page.get("download_button")]


def percent(share) -> str:
    return "<0.1%" if share < 0.0005 else f"{share:.1%}"


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
    upload(page, ("disc.png", png(image)))
    prediction = pipeline.predict(image)

    assert answer(page).startswith(f"melanoma (mel) {percent(prediction.confidence)} A malignant diagnosis.")
    assert f"Malignant altogether {percent(prediction.malignant)}" in answer(page)
    assert "Classified: the crop around the lesion." in answer(page)
    ranked = sorted(prediction.probabilities.values(), reverse=True)
    assert [percent(share) for share in ranked] == re.findall(r"[<>]?\d+\.\d%", probabilities(page))[2:9]


def test_an_example_opens_by_one_click_and_is_named_as_what_it_is(page):
    press(page, "melanoma")

    assert any(text.endswith("a drawing of a melanoma (mel), which shows nobody") for text in texts(page))
    assert answer(page)


def test_the_full_image_changes_the_diagnosis_and_is_told_as_overruled(page, pipeline, draw_disc):
    image = draw_disc((90, 30, 30), radius=30)
    image[:, 300:] = (200, 200, 255)
    crop = answer(upload(page, ("disc.png", png(image))))
    full = answer(choose(page, "Full image"))

    assert percent(pipeline.predict(image, view="crop").confidence) in crop
    expected = pipeline.predict(image, view="full")
    assert expected.diagnosis == "vasc"
    assert full.startswith(f"vascular lesion (vasc) {percent(expected.confidence)}")
    assert "Classified: the whole image. Overruled: whole image classified." in full
    assert "Overruled" not in crop


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

    assert percent(pipeline.predict(image, margin=1.0).confidence) in answer(page)
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
    assert answer(page).startswith(f"vascular lesion (vasc) {percent(expected.confidence)}")


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

    assert "No lesion found: whole image used." in answer(page)
    assert "There is no contour of a lesion to measure." in texts(page)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no image", "is not a JPEG"),
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


def test_many_images_are_predicted_and_a_broken_one_says_why(page, pipeline, draw_disc):
    colours = {"red.png": (90, 30, 30), "green.png": (30, 90, 30)}
    files = [(name, png(draw_disc(colour))) for name, colour in colours.items()]
    upload(page, files[0], ("broken.png", b"no image"), files[1])

    assert "2 of 3 images predicted" in texts(page)
    red, broken, green = (outcome for _, outcome in visit_of(page).outcomes.values())
    for outcome, colour in ((red, colours["red.png"]), (green, colours["green.png"])):
        assert outcome.facts == pipeline.predict(draw_disc(colour)).to_dict()
    assert "is not a JPEG" in broken.error
    assert downloads(page)[:2] == ["Table of all (csv)", "Report of all (html)"]


def test_the_picked_one_of_many_is_shown(page, draw_disc):
    upload(page, ("red.png", png(draw_disc((90, 30, 30)))), ("green.png", png(draw_disc((30, 90, 30)))))
    assert answer(page).startswith("melanoma (mel)")

    assert answer(pick(page, "green.png")).startswith("melanocytic naevus (nv)")


def test_adding_files_adds_and_twice_the_same_is_once(page, draw_disc):
    red, green = ("red.png", png(draw_disc((90, 30, 30)))), ("green.png", png(draw_disc((30, 90, 30))))
    upload(page, red)
    upload(page, green, red)
    press(page, "melanoma")

    assert [picture.name for picture in visit_of(page).pictures.values()][:2] == ["red.png", "green.png"]
    assert len(visit_of(page).pictures) == 3
    assert visit_of(page).pictures[visit_of(page).picked].drawn_as == "mel", "the new one is looked at"


def test_what_was_chosen_outlasts_another_image_and_reaches_its_line(page, draw_disc):
    upload(page, ("red.png", png(draw_disc((90, 30, 30)))), ("green.png", png(draw_disc((30, 90, 30)))))
    page.slider[0].set_value(0.8).run()
    number_input(page, "Width of the image").set_value(20.0).run()
    chosen = answer(page)
    assert "Overruled: margin 0.8 in place of" in chosen

    pick(page, "green.png")
    assert "Overruled" not in answer(page)
    pick(page, "red.png")
    assert answer(page) == chosen
    assert page.slider[0].value == 0.8
    assert number_input(page, "Width of the image").value == pytest.approx(20)
    _, outcome = next(iter(visit_of(page).outcomes.values()))
    assert outcome.overruled.startswith("margin 0.8")
    assert outcome.measurements[0].unit == "mm²"


def test_the_scale_is_kept_for_other_images_of_the_same_size(page, draw_disc):
    upload(page, ("red.png", png(draw_disc())), ("wide.png", png(draw_disc(size=(300, 500)))))
    number_input(page, "Width of the image").set_value(20.0).run()
    upload(page, ("green.png", png(draw_disc((30, 90, 30)))))
    assert number_input(page, "Width of the image").value == pytest.approx(20)

    pick(page, "wide.png")
    assert number_input(page, "Width of the image").value is None


def test_a_quiz_hides_the_answer_until_it_is_asked_for(page, draw_disc):
    upload(page, ("red.png", png(draw_disc((90, 30, 30)))), ("green.png", png(draw_disc((30, 90, 30)))))
    page.toggle[0].set_value(True).run()
    assert not any("Classified" in text or "melanoma" in text for text in texts(page))

    next(box for box in page.selectbox if box.label == "Your diagnosis").set_value("mel").run()
    press(page, "Show the answer")
    assert answer(page).startswith("melanoma (mel)")
    assert any(
        text.startswith("Revealed after your answer: 1. You and the models agreed in 1.")
        for text in texts(page)
    )
    pick(page, "green.png")
    assert not any("Classified" in text for text in texts(page)), "each image has its own answer"


def test_a_stopped_batch_goes_on(page, draw_disc, monkeypatch):
    monkeypatch.setattr("pipeline.app.batch.AT_ONCE_SECONDS", 0)
    upload(page, *((f"{shade}.png", png(draw_disc((shade, 30, 30)))) for shade in (80, 90, 100)))
    visit = visit_of(page)
    visit.outcomes.popitem()
    visit.stopped = True
    page.run()
    assert len(visit.outcomes) == 2 and "Table of all (csv)" in downloads(page)

    press(page, "Go on with the other 1")
    assert len(visit_of(page).outcomes) == 3
    assert "3 of 3 images predicted" in texts(page)


def test_one_image_has_its_files_too(page, draw_disc):
    upload(page, ("red.png", png(draw_disc())))

    assert downloads(page) == ["Report (A4 page)", "Table (csv)", "Mask (png)", "Overlay (jpg)"]


def test_an_empty_file_is_refused_in_words_and_the_others_stay(page, draw_disc):
    upload(page, ("red.png", png(draw_disc())), ("empty.png", b""))

    assert any("empty.png: the file is empty; copy it again." in text for text in texts(page))
    assert len(visit_of(page).pictures) == 1
    press(page, "I have read this")
    assert not any("empty.png" in text for text in texts(page))


def test_removing_asks_and_forgets_every_image(page, draw_disc):
    upload(page, ("red.png", png(draw_disc())))
    press(page, "Yes, remove")

    visit = visit_of(page)
    assert not any("they sum to 100%" in text for text in texts(page))
    assert not (visit.pictures or visit.outcomes or visit.remembered)


def test_every_drawn_example_is_an_image_that_comes_along():
    from pipeline.app.sources import drawn_examples  # noqa: PLC0415

    assert len(drawn_examples()) == 7
    assert all(read_image(path).size for path in drawn_examples())
