"""Diagnoses are scored per class, with intervals, and nothing is averaged over classes that are not there."""

import json
import time

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from classification.metrics import ClassificationScores, sensitivity_at_specificity
from data.datasets.diagnoses import HAM10000_CLASSES


def diagnosed(indices: list[int], classes: int, confidence: float = 0.8) -> np.ndarray:
    """Probabilities that diagnose these classes with one confidence, the rest spread evenly."""
    probabilities = np.full((len(indices), classes), (1 - confidence) / (classes - 1))
    probabilities[np.arange(len(indices)), indices] = confidence
    return probabilities


def drawn_predictions(images: int) -> tuple[np.ndarray, np.ndarray]:
    """Unbalanced labels of seven classes, and probabilities that lean towards them."""
    rng = np.random.default_rng(0)
    labels = rng.choice(7, images, p=[0.03, 0.05, 0.11, 0.02, 0.11, 0.66, 0.02])
    logits = rng.normal(size=(images, 7)) + 2 * np.eye(7)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_figures_of_a_small_example_can_be_checked_in_the_head() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    probabilities = diagnosed([0, 0, 1, 1, 1, 0], classes=3)

    scores = ClassificationScores.from_predictions(labels, probabilities, ("a", "b", "c"), list("uvwxyz"))

    np.testing.assert_array_equal(scores.confusion, [[2, 1, 0], [0, 2, 0], [1, 0, 0]])
    assert scores.support == {"a": 3, "b": 2, "c": 1}
    assert scores.precision["a"].value == pytest.approx(2 / 3)
    assert scores.recall["b"].value == 1
    assert scores.f1["b"].value == pytest.approx(4 / 5)
    assert scores.balanced_accuracy.value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert scores.accuracy.value == pytest.approx(4 / 6)


def test_a_class_that_is_never_predicted_has_precision_and_f1_of_zero() -> None:
    scores = ClassificationScores.from_predictions(
        np.array([0, 0, 1]), diagnosed([0, 0, 0], classes=2), ("a", "b"), list("xyz")
    )

    assert scores.precision["b"].value == scores.f1["b"].value == 0
    assert scores.macro_f1.value == pytest.approx(0.8 / 2)


def test_a_class_without_support_is_named_and_left_out_of_the_averages() -> None:
    labels, predicted = [0, 0, 1, 1], [0, 0, 1, 2]

    scores = ClassificationScores.from_predictions(
        np.array(labels), diagnosed(predicted, classes=3), ("a", "b", "c"), list("wxyz")
    )

    assert scores.without_support == ("c",)
    assert np.isnan(scores.f1["c"].value)
    assert scores.balanced_accuracy.value == pytest.approx((1 + 0.5) / 2)
    assert scores.macro_f1.value == pytest.approx((1 + 2 / 3) / 2)
    assert "No image of: c" in scores.to_text()


def test_averages_agree_with_scikit_learn() -> None:
    labels, probabilities = drawn_predictions(300)

    scores = ClassificationScores.from_predictions(
        labels, probabilities, HAM10000_CLASSES, np.arange(300), resamples=10
    )

    predicted = probabilities.argmax(axis=1)
    assert scores.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert scores.macro_f1.value == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert scores.macro_auc.value == pytest.approx(
        roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    )


def test_every_value_lies_in_its_interval_and_the_interval_narrows_with_more_images() -> None:
    widths = []
    for images in (200, 1800):
        labels, probabilities = drawn_predictions(images)
        scores = ClassificationScores.from_predictions(
            labels, probabilities, HAM10000_CLASSES, np.arange(images)
        )
        for name, figure in scores.averages().items():
            if "calibration" not in name:
                assert figure.low < figure.value < figure.high, name
        widths.append(scores.balanced_accuracy.high - scores.balanced_accuracy.low)
    assert widths[1] == pytest.approx(widths[0] / 3, rel=0.3)


def test_malignant_classes_are_taken_together() -> None:
    # Both malignant images are named wrongly, but as another malignant class.
    classes = ("bcc", "mel", "nv")
    probabilities = diagnosed([1, 0, 2, 2], classes=3)

    scores = ClassificationScores.from_predictions(
        np.array([0, 1, 2, 2]), probabilities, classes, list("wxyz")
    )

    assert scores.balanced_accuracy.value == pytest.approx(1 / 3)
    assert scores.malignant_auc is not None
    assert scores.malignant_auc.value == 1


def test_images_of_an_unknown_group_do_not_count_as_benign() -> None:
    classes = ("benign", "malignant", "unknown")
    probabilities = np.array([[0.7, 0.3, 0.0], [0.4, 0.6, 0.0], [0.1, 0.9, 0.0]])

    scores = ClassificationScores.from_predictions(np.array([0, 1, 2]), probabilities, classes, list("xyz"))

    assert scores.malignant_auc is not None
    assert scores.malignant_auc.value == 1


def test_melanoma_and_malignancy_are_left_out_where_the_classes_are_not_there() -> None:
    scores = ClassificationScores.from_predictions(
        np.array([0, 1]), diagnosed([0, 1], classes=2), ("df", "nv"), list("xy")
    )

    assert scores.malignant_auc is None
    assert scores.melanoma_sensitivity is None
    assert scores.to_dict()["melanoma_sensitivity"] is None


def test_the_melanomas_are_the_ones_that_are_to_be_found() -> None:
    scores = ClassificationScores.from_predictions(
        np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]), ("mel", "nv"), list("xyz")
    )

    assert scores.melanoma_sensitivity is not None
    assert scores.melanoma_sensitivity.value == 0.5


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]], ids=["melanomas alone", "no melanoma"])
def test_melanomas_need_others_beside_them(labels: list[int]) -> None:
    scores = ClassificationScores.from_predictions(
        np.array(labels), diagnosed([0, 1], classes=2), ("mel", "nv"), list("xy")
    )

    assert scores.melanoma_sensitivity is None
    assert scores.malignant_auc is None


def test_sensitivity_at_specificity_takes_the_best_threshold_that_is_allowed() -> None:
    positive = np.array([False] * 4 + [True] * 4)
    scores = np.array([0.1, 0.2, 0.3, 0.8, 0.25, 0.4, 0.85, 0.9])

    assert sensitivity_at_specificity(positive, scores, 1.0) == pytest.approx(2 / 4)
    assert sensitivity_at_specificity(positive, scores, 0.75) == pytest.approx(3 / 4)
    assert sensitivity_at_specificity(positive, scores, 0.5) == 1
    in_a_line = np.array([True, False] * 3), np.array([3, 3, 2, 2, 1, 1])
    assert sensitivity_at_specificity(*in_a_line, 0.3) == pytest.approx(2 / 3)


def test_scores_can_be_written_as_json_and_read_as_text() -> None:
    labels, probabilities = drawn_predictions(100)
    scores = ClassificationScores.from_predictions(
        labels, probabilities, HAM10000_CLASSES, np.arange(100) // 2, resamples=20
    )

    written = json.loads(json.dumps(scores.to_dict(), allow_nan=False))

    assert written["images"] == 100
    assert written["lesions"] == 50
    assert written["per_class"]["mel"]["f1"]["value"] == scores.f1["mel"].value
    assert str(scores.f1["mel"]) in scores.to_text()
    assert "Balanced accuracy" in scores.to_text()
    assert list(scores.per_class().columns) == ["Support", "Precision", "Recall", "F1", "AUC"]


def test_scores_without_repetitions_have_no_bounds() -> None:
    scores = ClassificationScores.from_predictions(
        np.array([0, 1]), diagnosed([0, 1], classes=2), ("mel", "nv"), list("xy"), resamples=0
    )

    assert str(scores.balanced_accuracy) == "1.000"


@pytest.mark.parametrize(
    ("labels", "shape", "message"),
    [
        ([], (0, 2), "no image"),
        ([0, 1], (2, 3), "images by classes"),
        ([0, 2], (2, 2), "expected 0 to 1"),
    ],
)
def test_predictions_that_do_not_fit_the_classes_are_refused(
    labels: list[int], shape: tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ClassificationScores.from_predictions(
            np.array(labels, int), np.full(shape, 0.5), ("a", "b"), list("xy")[: len(labels)]
        )


def test_a_test_split_is_scored_in_seconds() -> None:
    labels, probabilities = drawn_predictions(1500)

    start = time.process_time()  # which a busy machine hardly changes
    ClassificationScores.from_predictions(
        labels, probabilities, HAM10000_CLASSES, np.arange(1500) // 2, resamples=1000
    )

    assert time.process_time() - start < 5
