import cv2
import numpy as np
import pytest

from pipeline.prediction.overruling import Overrule, mask_of, predict_overruled
from segmentation.cropping import Box


def drawn(mask) -> bytes:
    return cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()


def test_an_image_that_was_opened_once_is_predicted_as_its_file_is(pipeline, draw_disc):
    image = draw_disc()
    opened, given = pipeline.predict(pipeline.open(image)), pipeline.predict(image)

    assert opened.to_dict() == given.to_dict()


def test_box_mask_and_prediction_follow_a_drawn_contour(pipeline, draw_disc):
    image = draw_disc((90, 30, 30), centre=(200, 150), radius=60)
    image[20:80, 20:80] = (30, 30, 90)
    small = np.zeros((150, 200), bool)  # half the image's size, as a page may draw it
    small[10:40, 10:40] = True
    prediction = predict_overruled(pipeline, pipeline.open(image), Overrule(contour=drawn(small)))

    assert prediction.diagnosis == "vasc"
    assert prediction.mask.shape == (300, 400)
    assert np.count_nonzero(prediction.mask) == pytest.approx(60 * 60, rel=0.05)
    assert prediction.box == pytest.approx((5, 5, 95, 95), abs=3)


def test_a_box_of_the_readers_is_classified_even_where_the_bundle_looks_at_whole_images(pipeline, draw_disc):
    image = draw_disc((90, 30, 30))
    image[:80, :80] = (30, 30, 90)
    prediction = predict_overruled(pipeline, pipeline.open(image), Overrule(box=Box(0, 0, 80, 80)))

    assert (prediction.view, prediction.diagnosis) == ("crop", "vasc")


def test_of_a_drawn_mask_the_largest_part_counts_and_its_holes_are_filled():
    mask = np.zeros((60, 80), bool)
    mask[10:50, 10:50] = True
    mask[25:30, 25:30] = False
    mask[2:5, 70:75] = True
    expected = np.zeros((60, 80), bool)
    expected[10:50, 10:50] = True

    assert np.array_equal(mask_of(drawn(mask), (60, 80)), expected)


def test_choices_are_told_in_words_and_none_is_none(pipeline):
    bundle = pipeline.bundle

    assert not Overrule() and Overrule().words(bundle) == ""
    assert Overrule(margin=0.5).words(bundle) == f"margin 0.5 in place of {bundle.crop_margin:g}"
    assert Overrule(box=Box(3, 4, 53, 54), margin=0.5).words(bundle) == (
        "box of 50 pixels at 3, 4 drawn by the reader"
    )
    assert Overrule(contour=b"x", view="full").words(bundle) == (
        "contour drawn by the reader, whole image classified"
    )


def test_a_mask_of_another_size_is_refused(pipeline, draw_disc):
    with pytest.raises(ValueError, match="not of the image's size"):
        pipeline.predict(draw_disc(), mask=np.zeros((10, 10), bool))
