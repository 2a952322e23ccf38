"""The figures under many weights are scikit-learn's weighted figures, one resample after the other."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score, roc_curve

from classification import bootstrap
from data.intervals import lesion_weights

IMAGES, CLASSES, RESAMPLES = 120, 4, 25
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, CLASSES, IMAGES)
PREDICTED = np.where(RNG.random(IMAGES) < 0.6, LABELS, RNG.integers(0, CLASSES, IMAGES))
WEIGHTS = lesion_weights(np.arange(IMAGES) // 2, RESAMPLES, seed=0)
POSITIVE = LABELS == 1
# Rounded, so that many scores are tied.
SCORES = np.round(RNG.normal(size=IMAGES) + POSITIVE, 1)


def test_confusion_matrices_count_each_image_as_often_as_it_was_drawn() -> None:
    matrices = bootstrap.confusion_matrices(LABELS, PREDICTED, CLASSES, WEIGHTS)

    for matrix, weights in zip(matrices, WEIGHTS, strict=True):
        np.testing.assert_allclose(matrix, confusion_matrix(LABELS, PREDICTED, sample_weight=weights))


def test_precision_recall_and_f1_are_scikit_learns() -> None:
    confusions = bootstrap.confusion_matrices(LABELS, PREDICTED, CLASSES, WEIGHTS)

    figures = np.stack(bootstrap.precision_recall_f1(confusions), axis=1)

    for resample, weights in zip(figures, WEIGHTS, strict=True):
        expected = precision_recall_fscore_support(LABELS, PREDICTED, sample_weight=weights)[:3]
        np.testing.assert_allclose(resample, expected)


def test_auc_is_scikit_learns_with_ties() -> None:
    aucs = bootstrap.auc(POSITIVE, SCORES, WEIGHTS)

    expected = [roc_auc_score(POSITIVE, SCORES, sample_weight=weights) for weights in WEIGHTS]
    np.testing.assert_allclose(aucs, expected)


@pytest.mark.parametrize("specificity", [0.0, 0.5, 0.85, 1.0])
def test_sensitivity_at_specificity_is_read_from_scikit_learns_curve(specificity: float) -> None:
    sensitivities = bootstrap.sensitivity_at_specificity(POSITIVE, SCORES, specificity, WEIGHTS)

    for sensitivity, weights in zip(sensitivities, WEIGHTS, strict=True):
        drawn = weights > 0
        curve = roc_curve(
            POSITIVE[drawn], SCORES[drawn], sample_weight=weights[drawn], drop_intermediate=False
        )
        assert sensitivity == pytest.approx(curve[1][curve[0] <= 1 - specificity + 1e-9].max())


def test_a_class_that_a_repetition_never_predicts_has_a_precision_of_zero() -> None:
    precision, _, _ = bootstrap.precision_recall_f1(np.array([[[1.0, 0], [1, 0]]]))
    np.testing.assert_array_equal(precision, [[0.5, 0]])


@pytest.mark.parametrize(("specificity", "sensitivity"), [(1.0, 0), (0.0, 1)])
def test_where_the_benign_score_highest_no_threshold_or_the_lowest_is_taken(
    specificity: float, sensitivity: float
) -> None:
    positive, scores = np.array([False, True]), np.array([0.9, 0.1])
    found = bootstrap.sensitivity_at_specificity(positive, scores, specificity, np.ones((1, 2)))
    assert found.tolist() == [sensitivity]


def test_a_repetition_that_loses_a_class_has_no_figure_for_it() -> None:
    labels, predicted = np.array([0, 1, 1]), np.array([0, 0, 1])
    weights = np.array([[1.0, 1, 1], [0, 1, 1]])

    precision, recall, f1 = bootstrap.precision_recall_f1(
        bootstrap.confusion_matrices(labels, predicted, 2, weights)
    )

    for figure in (precision, recall, f1, bootstrap.auc(labels == 0, -labels, weights)[:, None]):
        assert not np.isnan(figure[0]).any()
        assert np.isnan(figure[1, 0])
    np.testing.assert_allclose(bootstrap.macro_mean(recall), [0.75, 0.5])
