import itertools
import math

import numpy as np
import pytest

from data.datasets.diagnoses import HAM10000_CLASSES
from data.images import ImageError, read_image
from pipeline import LesionPipeline
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import load_bundle
from segmentation.cropping import Box
from segmentation.metrics import jaccard


def test_a_dark_disc_is_found_cropped_and_named_by_its_colour(pipeline, draw_disc):
    prediction = pipeline.predict(draw_disc((90, 30, 30), centre=(200, 150), radius=60))

    assert prediction.diagnosis == "mel"
    assert prediction.mask.shape == (300, 400)
    assert prediction.mask[150, 200] and not prediction.mask[150, 280]
    assert prediction.lesion_fraction == pytest.approx(math.pi * 60**2 / (300 * 400), rel=0.05)
    assert prediction.box == pytest.approx((110, 60, 290, 240), abs=8)
    assert prediction.view == "crop"
    assert prediction.notes == ()


@pytest.mark.parametrize(
    ("colour", "diagnosis"), [((90, 30, 30), "mel"), ((30, 90, 30), "nv"), ((30, 30, 90), "vasc")]
)
def test_probabilities_are_calibrated_and_sum_to_one(pipeline, draw_disc, colour, diagnosis):
    prediction = pipeline.predict(draw_disc(colour))

    assert prediction.diagnosis == diagnosis
    assert prediction.confidence == max(prediction.probabilities.values())
    assert math.fsum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.malignant == pytest.approx(
        sum(prediction.probabilities[name] for name in ("akiec", "bcc", "mel"))
    )


def test_the_crop_sees_more_of_the_lesion_than_the_whole_image_does(make_bundle, tmp_path, draw_disc):
    image = draw_disc((90, 30, 30), radius=40)
    crop = LesionPipeline.load(make_bundle(tmp_path / "crop", view="crop")).predict(image)
    full = LesionPipeline.load(make_bundle(tmp_path / "full", view="full")).predict(image)

    assert full.view == "full"
    assert full.box == crop.box
    assert crop.probabilities["mel"] > full.probabilities["mel"]


def test_the_temperature_flattens_the_probabilities(make_bundle, tmp_path, draw_disc):
    sharp = LesionPipeline.load(make_bundle(tmp_path / "sharp", temperature=1.0)).predict(draw_disc())
    flat = LesionPipeline.load(make_bundle(tmp_path / "flat", temperature=4.0)).predict(draw_disc())

    log_ratio = [math.log(each.probabilities["mel"] / each.probabilities["nv"]) for each in (sharp, flat)]
    assert log_ratio[0] == pytest.approx(4 * log_ratio[1])


def test_a_box_of_the_users_takes_the_place_of_the_lesions(pipeline, draw_disc):
    image = draw_disc((90, 30, 30), centre=(200, 150), radius=60)
    image[:80, :80] = (30, 30, 90)
    prediction = pipeline.predict(image, box=Box(0, 0, 80, 80))

    assert (prediction.diagnosis, prediction.view, prediction.box) == ("vasc", "crop", (0, 0, 80, 80))
    assert np.array_equal(prediction.mask, pipeline.predict(image).mask)


def test_the_user_may_choose_the_view_and_the_margin(pipeline, draw_disc):
    image = draw_disc((90, 30, 30), centre=(200, 150), radius=40)
    tight, wide, full = (
        pipeline.predict(image, **choice) for choice in ({"margin": 0.0}, {"margin": 1.0}, {"view": "full"})
    )

    assert tight.box.width < pipeline.predict(image).box.width < wide.box.width
    assert tight.probabilities["mel"] > wide.probabilities["mel"] > full.probabilities["mel"]
    assert full.view == "full" and full.box == pipeline.predict(image).box


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        ({"view": "mask"}, "one of crop, full"),
        ({"margin": -0.1}, "0 or more"),
        ({"margin": float("nan")}, "0 or more"),
        ({"box": Box(10, 10, 10, 20)}, "empty or not inside the image of 400 x 300"),
        ({"box": Box(350, 0, 450, 100)}, "empty or not inside the image of 400 x 300"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(pipeline, draw_disc, choice, complaint):
    with pytest.raises(ValueError, match=complaint):
        pipeline.predict(draw_disc(), **choice)


def test_without_a_lesion_the_whole_image_is_used_and_the_prediction_says_so(pipeline):
    prediction = pipeline.predict(np.full((100, 120, 3), 230, np.uint8))

    assert not prediction.mask.any()
    assert prediction.box is None
    assert prediction.view == "full"
    assert prediction.notes == ("no lesion found: whole image used", "low confidence")


def test_the_map_is_brought_to_the_image_before_the_threshold(pipeline, draw_disc):
    """Thresholded first, the mask would show the model's 48 x 64 pixels as steps of 25."""
    mask = pipeline.predict(draw_disc(size=(1200, 1600), centre=(800, 600), radius=300)).mask

    left_edge = np.argmax(mask[450:750], axis=1)
    assert np.abs(np.diff(left_edge)).max() < 5


def test_the_activation_map_shows_where_the_evidence_lies(pipeline, draw_disc):
    image = draw_disc((90, 30, 30), centre=(60, 150), radius=50)
    prediction = pipeline.predict(image)
    green = prediction.activation_map[:, :, list(prediction.probabilities).index("nv")]

    assert prediction.activation_map.shape == (4, 4, 7)
    assert (
        green[1:3, 1:3].max() < green[0, 0]
    )  # the skin is greener than the lesion in the middle of the crop


def test_path_bytes_and_array_give_the_same(pipeline, draw_disc, write_image, tmp_path):
    image = draw_disc()
    path = write_image(tmp_path / "disc.png", image)

    expected = pipeline.predict(image).to_dict()
    for source in (path, str(path), path.read_bytes()):
        assert pipeline.predict(source).to_dict() == expected


def test_an_array_that_is_a_view_gives_the_same(pipeline, draw_disc):
    image = draw_disc((30, 30, 90), centre=(60, 60), radius=40)
    bgr = image[:, :, ::-1].copy()

    assert pipeline.predict(bgr[:, :, ::-1]).to_dict() == pipeline.predict(image).to_dict()


@pytest.mark.parametrize(
    ("array", "mend"),
    [
        (np.zeros((64, 64), np.uint8), "repeat a grey image's values"),
        (np.zeros((64, 64, 4), np.uint8), "leave out the alpha channel"),
        (np.zeros((3, 64, 64), np.uint8), "move the channels to the last axis"),
        (np.zeros((1, 64, 64, 3), np.uint8), "give one image at a time"),
        (np.zeros((64, 64, 3), np.float32), "scale the values to 0..255 and convert them to uint8"),
        (np.zeros((64, 8, 3), np.uint8), "8 x 64 pixels are too few"),
        (np.zeros((0, 0, 3), np.uint8), "too few"),
    ],
)
def test_an_array_that_is_no_image_is_refused_with_the_mend(pipeline, array, mend):
    with pytest.raises(ImageError, match=mend):
        pipeline.predict(array)


def test_an_unreadable_file_is_an_image_error(pipeline, tmp_path):
    with pytest.raises(ImageError, match=r"missing\.jpg"):
        pipeline.predict(tmp_path / "missing.jpg")


def test_many_come_in_their_order_and_broken_ones_as_errors(pipeline, draw_disc, write_image, tmp_path):
    broken = tmp_path / "b.png"
    broken.write_text("no image")
    sources = [
        write_image(tmp_path / "a.png", draw_disc((90, 30, 30))),
        broken,
        draw_disc((30, 90, 30)),
        write_image(tmp_path / "c.png", draw_disc((30, 30, 90))).read_bytes(),
    ]
    outcomes = list(pipeline.predict_many(sources))

    assert all(given is source for (given, _), source in zip(outcomes, sources, strict=True))
    assert [getattr(outcome, "diagnosis", type(outcome)) for _, outcome in outcomes] == [
        "mel",
        ImageError,
        "nv",
        "vasc",
    ]


def test_many_are_read_only_a_few_ahead(pipeline, draw_disc):
    image = draw_disc(size=(64, 64), centre=(32, 32), radius=12)
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield image

    outcomes = pipeline.predict_many(endless())
    assert taken == [], "nothing is read before the first prediction is asked for"
    for predicted in range(1, 20):
        next(outcomes)
        assert len(taken) <= predicted + 4
    outcomes.close()


def test_many_at_once_are_predicted_as_one_by_one(bundle_folder, draw_disc):
    images = [draw_disc((90, 30, 30), radius=radius) for radius in range(20, 100, 5)]
    one_by_one = LesionPipeline.load(bundle_folder)
    at_once = LesionPipeline.load(bundle_folder, threads=4, at_once=2)

    found = [prediction.to_dict() for _, prediction in at_once.predict_many(images)]
    assert found == [one_by_one.predict(image).to_dict() for image in images]


def test_a_large_photograph_is_predicted_from_fewer_pixels_with_the_same_result(
    pipeline, draw_disc, write_image, tmp_path
):
    path = write_image(tmp_path / "photo.jpg", draw_disc(size=(1800, 2400), centre=(1300, 800), radius=350))
    reduced, full = pipeline.predict(path), pipeline.predict(read_image(path))

    assert reduced.mask.shape == full.mask.shape == (1800, 2400)
    assert jaccard(reduced.mask, full.mask) > 0.99
    assert reduced.box == pytest.approx(full.box, abs=4)
    assert reduced.probabilities == pytest.approx(full.probabilities, abs=0.01)
    assert reduced.diagnosis == full.diagnosis == "mel"


def test_malignant_is_unknown_where_the_classes_do_not_tell(make_bundle, tmp_path, draw_disc):
    own_classes = [f"type {letter}" for letter in "abcdefg"]
    pipeline = LesionPipeline.load(make_bundle(tmp_path / "own", classes=own_classes))
    prediction = pipeline.predict(draw_disc())

    assert math.isnan(prediction.malignant)
    assert prediction.to_dict()["malignant"] is None


FAMILIARITY = {
    "energy": {"mean": 10, "deviation": 5},
    "unevenness": {"mean": 0, "deviation": 1},
    "threshold": -8,
}


def test_an_image_whose_evidence_has_no_place_is_unlike_the_training_images(make_bundle, tmp_path, draw_disc):
    pipeline = LesionPipeline.load(make_bundle(tmp_path / "bundle", familiarity=FAMILIARITY))
    plain = pipeline.predict(np.full((100, 120, 3), (90, 30, 30), np.uint8))
    disc = pipeline.predict(draw_disc((90, 30, 30)))

    assert "unlike the training images" in plain.notes and plain.doubtful
    assert plain.diagnosis == "mel" and plain.confidence > 0.9, "the note hides no ranking"
    assert disc.notes == () and not disc.doubtful
    assert plain.ood_score < -8 < disc.ood_score
    assert disc.to_dict()["familiarity"] == disc.ood_score


def test_a_bundle_that_knows_no_familiarity_says_nothing_of_it(pipeline):
    plain = pipeline.predict(np.full((100, 120, 3), (90, 30, 30), np.uint8))

    assert plain.notes == ("no lesion found: whole image used",)
    assert math.isnan(plain.ood_score)
    assert plain.to_dict()["familiarity"] is None


class LeftAndRight:
    """A classifier that takes brightness on the left for a melanoma, and shows the view as its map."""

    input_shape = (32, 32, 3)

    def __call__(self, view):
        logits = np.zeros(7, np.float32)
        logits[HAM10000_CLASSES.index("mel")] = view[:, :16].mean() / 100
        return logits, np.repeat(view[..., :1].astype(np.float32), 7, axis=2)


@pytest.fixture
def half_lit():
    """A photograph without a lesion, bright on its left."""
    image = np.full((64, 64, 3), 150, np.uint8)
    image[:, :32] = 250
    return image


def test_flips_are_averaged_so_that_a_mirrored_image_gets_the_same_answer(pipeline, half_lit):
    def predict(image, flips):
        return LesionPipeline(pipeline.bundle, pipeline._segmentation, LeftAndRight(), flips).predict(image)

    mirrored = half_lit[:, ::-1]
    assert predict(half_lit, False).probabilities["mel"] > predict(mirrored, False).probabilities["mel"] + 0.2
    assert predict(half_lit, True).probabilities == pytest.approx(predict(mirrored, True).probabilities)
    assert predict(half_lit, True).activation_map[0, :, 0] == pytest.approx([250] * 16 + [150] * 16, abs=15)


def test_with_flips_the_calibration_is_that_of_flips(make_bundle, tmp_path, draw_disc):
    folder = make_bundle(tmp_path / "bundle", flips={"temperature": 4.0, "abstention_threshold": 0.99})
    plain, averaged = (LesionPipeline.load(folder, tta=flips).predict(draw_disc()) for flips in (False, True))

    log_ratio = [math.log(each.probabilities["mel"] / each.probabilities["nv"]) for each in (plain, averaged)]
    assert log_ratio[0] == pytest.approx(4 * log_ratio[1], rel=1e-3)
    assert (plain.notes, averaged.notes) == ((), ("low confidence",))


SECOND_LOOK = {"below_confidence": 0.7, "temperature": 2.0, "abstention_threshold": 0.99}


class Counting:
    """What another classifier says, counted."""

    def __init__(self, classifier):
        self.input_shape, self._classifier, self.looks = classifier.input_shape, classifier, 0

    def __call__(self, view):
        self.looks += 1
        return self._classifier(view)


@pytest.mark.parametrize(("brightness", "sure"), [(140, False), (250, True)])
def test_a_second_look_is_taken_where_the_first_is_unsure(make_bundle, tmp_path, brightness, sure):
    loaded = LesionPipeline.load(make_bundle(tmp_path / "bundle", temperature=0.6, second_look=SECOND_LOOK))
    image = np.full((64, 64, 3), 150, np.uint8)
    image[:, :32] = brightness
    looks, answers = {}, {}
    for tta in (None, False, True):
        classifier = Counting(LeftAndRight())
        answers[tta] = LesionPipeline(loaded.bundle, loaded._segmentation, classifier, tta).predict(image)
        looks[tta] = classifier.looks

    assert looks == {None: 1 if sure else 4, False: 1, True: 4}
    one_look, averaged = (answers[tta].activation_map for tta in (False, True))
    assert np.array_equal(answers[None].activation_map, one_look if sure else averaged)


def test_answers_of_one_look_and_of_two_have_one_calibration(make_bundle, tmp_path, draw_disc):
    folder = make_bundle(tmp_path / "bundle", second_look=SECOND_LOOK)
    one_look, by_default = (
        LesionPipeline.load(folder, tta=tta).predict(draw_disc()) for tta in (False, None)
    )

    log_ratio = [
        math.log(each.probabilities["mel"] / each.probabilities["nv"]) for each in (one_look, by_default)
    ]
    assert log_ratio[0] == pytest.approx(2 * log_ratio[1], rel=1e-3)
    assert (one_look.notes, by_default.notes) == ((), ("low confidence",))


def test_a_bundle_without_a_calibration_of_flips_uses_its_own(pipeline, bundle_folder, draw_disc):
    averaged = LesionPipeline.load(bundle_folder, tta=True).predict(draw_disc())

    assert averaged.probabilities == pytest.approx(pipeline.predict(draw_disc()).probabilities, rel=1e-3)


def test_the_package_offers_the_pipeline_and_nothing_unknown():
    import pipeline as package  # noqa: PLC0415

    assert package.LesionPipeline is LesionPipeline
    with pytest.raises(AttributeError, match="no attribute 'Segmenter'"):
        _ = package.Segmenter


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_model_that_says_no_numbers_gives_no_diagnosis(
    bundle_folder, model_files, spoilt_model, tmp_path, draw_disc, write_image, value
):
    (tmp_path / "spoilt.tflite").write_bytes(spoilt_model("classification", value))
    models = LiteRTModel(model_files["segmentation"]), LiteRTModel(tmp_path / "spoilt.tflite")
    spoilt = LesionPipeline(load_bundle(bundle_folder), *models)
    photo = write_image(tmp_path / "photo.png", draw_disc())

    with pytest.raises(ImageError, match=r"photo\.png: can't be diagnosed .*says what is no number"):
        spoilt.predict(photo)
    ((_, outcome),) = spoilt.predict_many([photo])
    assert isinstance(outcome, ImageError)


def test_the_probability_of_lesion_makes_the_mask_at_the_bundles_threshold(pipeline, draw_disc):
    image = draw_disc()
    probability = pipeline.lesion_probability(image)

    assert probability.shape == image.shape[:2] and probability.dtype == np.float32
    assert 0 <= probability.min() < 0.1 and 0.9 < probability.max() <= 1
    assert ((probability >= pipeline.bundle.threshold) == pipeline.predict(image).mask).all()
