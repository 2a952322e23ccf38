"""Figures show what they are given, in both themes, and leave matplotlib's global state alone."""

import numpy as np
import pytest
from matplotlib import pyplot

from classification.abstention import AbstentionScores
from classification.calibration import reliability_bins
from pipeline.reports.plots import (
    DARK,
    LIGHT,
    Theme,
    confusion_figure,
    jaccard_figure,
    png_bytes,
    reliability_figure,
    risk_coverage_figure,
    roc_figure,
)

LABELS = np.array([0, 0, 1, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.7, 0.3]])
ABSTENTION = AbstentionScores.from_predictions(
    LABELS, PROBABILITIES, np.array([False, True, False, False, False]), range(5), resamples=0
)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_figure_becomes_a_png(theme: Theme) -> None:
    figures = [
        confusion_figure(np.array([[2, 0], [1, 2]]), ("mel", "nv"), theme),
        reliability_figure(reliability_bins(PROBABILITIES, LABELS), theme),
        roc_figure(LABELS, PROBABILITIES, ("mel", "nv"), theme),
        jaccard_figure(np.array([0.2, 0.7, 0.9]), theme),
        risk_coverage_figure(ABSTENTION, theme),
    ]

    for figure in figures:
        assert png_bytes(figure).startswith(b"\x89PNG")
    assert not pyplot.get_fignums()


def test_the_confusion_matrix_shows_counts_coloured_by_their_share_of_the_row() -> None:
    (axes,) = confusion_figure(np.array([[30, 10], [0, 2]]), ("mel", "nv")).axes

    assert [text.get_text() for text in axes.texts] == ["30", "10", "0", "2"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25], [0, 1]])
    assert axes.get_ylabel() == "Reference"


def test_a_class_without_support_has_no_colour_and_no_curve() -> None:
    (matrix,) = confusion_figure(np.array([[3, 0], [0, 0]]), ("mel", "nv")).axes
    (curves,) = roc_figure(np.zeros(5, int), PROBABILITIES, ("mel", "nv")).axes

    np.testing.assert_allclose(matrix.images[0].get_array(), [[1, 0], [0, 0]])
    assert curves.get_legend_handles_labels()[1] == []


def test_the_roc_legend_names_each_class_with_its_auc() -> None:
    (axes,) = roc_figure(LABELS, PROBABILITIES, ("mel", "nv")).axes

    assert axes.get_legend_handles_labels()[1] == ["mel  0.833", "nv  0.833"]


def test_the_risk_falls_with_the_coverage_and_a_line_shows_what_the_notes_leave() -> None:
    (axes,) = risk_coverage_figure(ABSTENTION).axes
    wrong, _, notes = axes.lines

    assert wrong.get_xydata()[-1] == pytest.approx([1, 1 / 5])
    assert wrong.get_xydata()[0] == pytest.approx([1 / 5, 0])
    assert notes.get_xdata()[0] == 4 / 5


def test_masks_that_isic_counts_as_nothing_stand_out() -> None:
    (axes,) = jaccard_figure(np.array([0.62, 0.66])).axes

    filled = [bar for bar in axes.patches if bar.get_height()]
    assert filled[0].get_facecolor() != filled[1].get_facecolor()
