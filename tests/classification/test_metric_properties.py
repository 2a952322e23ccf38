"""Whatever the labels and probabilities, the figures are those of scikit-learn."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from classification import bootstrap
from classification.calibration import expected_calibration_error
from classification.metrics import ClassificationScores
from data.intervals import lesion_weights

quickly = settings(max_examples=20, derandomize=True, deadline=None)


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels (N,), probabilities (N, C) with many ties, and lesions (N,) with several images."""
    classes, images = draw(st.integers(2, 5)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rough = rng.integers(0, draw(st.integers(1, 30)), (images, classes)) + 0.5
    labels = rng.integers(0, draw(st.integers(1, classes)), images)  # some classes may have no image
    return labels, rough / rough.sum(axis=1, keepdims=True), rng.integers(0, 12, images)


def scored(labels: np.ndarray, probabilities: np.ndarray, lesions: np.ndarray) -> ClassificationScores:
    classes = [f"class {number}" for number in range(probabilities.shape[1])]
    return ClassificationScores.from_predictions(
        labels, probabilities, classes, [str(lesion) for lesion in lesions], resamples=20
    )


@quickly
@given(answers())
def test_every_figure_of_a_class_is_that_of_scikit_learn(drawn: tuple[np.ndarray, ...]) -> None:
    labels, probabilities, lesions = drawn
    scores, predicted = scored(labels, probabilities, lesions), probabilities.argmax(axis=1)
    every = range(probabilities.shape[1])
    expected = precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    assert np.array_equal(scores.confusion, confusion_matrix(labels, predicted, labels=every))
    for figures, theirs in zip((scores.precision, scores.recall, scores.f1), expected, strict=False):
        for number, figure in enumerate(figures.values()):
            if expected[3][number]:
                assert figure.value == pytest.approx(theirs[number])
                assert np.isnan(figure.low) or 0 <= figure.low <= figure.high <= 1
            else:
                assert np.isnan(figure.value)


@quickly
@given(answers())
def test_the_averages_are_those_of_scikit_learn_over_the_classes_that_are_there(
    drawn: tuple[np.ndarray, ...],
) -> None:
    labels, probabilities, lesions = drawn
    scores, predicted = scored(labels, probabilities, lesions), probabilities.argmax(axis=1)
    there = np.unique(labels)
    recalls = precision_recall_fscore_support(labels, predicted, labels=there, zero_division=0)[1]
    assert scores.accuracy.value == pytest.approx(accuracy_score(labels, predicted))
    assert scores.balanced_accuracy.value == pytest.approx(recalls.mean())
    if set(predicted) <= set(labels) and len(there) > 1:
        assert scores.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert scores.macro_f1.value == pytest.approx(
        f1_score(labels, predicted, labels=there, average="macro", zero_division=0)
    )


@quickly
@given(answers())
def test_the_auc_of_a_class_against_the_rest_is_that_of_scikit_learn(drawn: tuple[np.ndarray, ...]) -> None:
    labels, probabilities, lesions = drawn
    figures = list(scored(labels, probabilities, lesions).auc.values())
    for number, figure in enumerate(figures):
        positive = labels == number
        if 0 < positive.sum() < len(labels):
            assert figure.value == pytest.approx(roc_auc_score(positive, probabilities[:, number]))
        else:
            assert np.isnan(figure.value)


@quickly
@given(answers())
def test_weighted_figures_are_those_of_the_images_as_often_as_they_were_drawn(
    drawn: tuple[np.ndarray, ...],
) -> None:
    labels, probabilities, lesions = drawn
    weights = lesion_weights([str(lesion) for lesion in lesions], 5, 0)
    classes, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
    confusions = bootstrap.confusion_matrices(labels, predicted, classes, weights)
    positive, wanted = labels == 0, 0.8
    areas = bootstrap.auc(positive, probabilities[:, 0], weights)
    reached = bootstrap.sensitivity_at_specificity(positive, probabilities[:, 0], wanted, weights)
    for row, confusion, area, sensitivity in zip(weights, confusions, areas, reached, strict=True):
        again = np.repeat(np.arange(len(labels)), row.astype(int))
        assert np.array_equal(
            confusion, confusion_matrix(labels[again], predicted[again], labels=range(classes))
        )
        if 0 < positive[again].sum() < len(again):
            truth, score = positive[again], probabilities[again, 0]
            assert area == pytest.approx(roc_auc_score(truth, score))
            false, true, _ = roc_curve(truth, score, drop_intermediate=False)
            assert sensitivity == pytest.approx(true[false <= 1 - wanted + 1e-9].max())
        else:
            assert np.isnan(area)
            assert np.isnan(sensitivity)


@quickly
@given(answers(), st.integers(1, 20))
def test_the_calibration_error_is_its_definition(drawn: tuple[np.ndarray, ...], bins: int) -> None:
    labels, probabilities, _ = drawn
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    gaps = 0.0
    for low, high in itertools.pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        gaps += abs(correct[inside].sum() - confidence[inside].sum()) / len(labels)
    assert expected_calibration_error(probabilities, labels, bins) == pytest.approx(gaps)
