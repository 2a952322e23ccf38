"""Figures as pictures. Every function returns a matplotlib Figure, and none touches pyplot's global state."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score, roc_curve

from classification.abstention import AbstentionScores
from classification.calibration import ReliabilityBins
from pipeline.reports.pictures import data_uri
from segmentation.metrics import JACCARD_THRESHOLD

LegendPlace = Literal["upper left", "lower right"]

PIXELS_PER_INCH = 240
JACCARD_BINS = 20


@dataclass(frozen=True)
class Theme:
    """Colours of a figure. Those of `lines` are told apart by colour-blind readers (Okabe and Ito, 2008)."""

    background: str
    text: str
    faint: str
    accent: str
    contrast: str
    lines: tuple[str, ...]


LIGHT = Theme(
    background="#ffffff",
    text="#1c2330",
    faint="#d5dae3",
    accent="#0b5e8a",
    contrast="#c4510b",
    lines=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1c2330"),
)
DARK = Theme(
    background="#171c24",
    text="#e4e8ef",
    faint="#3a4352",
    accent="#6cc0ec",
    contrast="#f2a65a",
    lines=("#4aa3df", "#f07d3a", "#1fc497", "#dd93bd", "#f0b93a", "#9ad4f5", "#e4e8ef"),
)


class Plot(NamedTuple):
    """A picture of a page, for light and for dark surroundings, as data URIs."""

    title: str
    description: str
    light: str
    dark: str


def confusion_figure(confusion: np.ndarray, classes: Sequence[str], theme: Theme = LIGHT) -> Figure:
    """The confusion matrix (C, C), rows = reference: counts, coloured by their share of the row."""
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(theme, width=4.2, height=4.0)
    colours = LinearSegmentedColormap.from_list("share", [theme.background, theme.accent])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    size = 9 if len(classes) < 8 else 7
    for (row, column), count in np.ndenumerate(confusion):
        shade = theme.background if shares[row, column] > 0.5 else theme.text
        axes.text(column, row, f"{count}", ha="center", va="center", fontsize=size, color=shade)
    axes.set_xticks(range(len(classes)), classes, rotation=45 if len(classes) > 3 else 0)
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="Diagnosis", ylabel="Reference")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return figure


def reliability_figure(bins: ReliabilityBins, theme: Theme = LIGHT) -> Figure:
    """Accuracy over confidence, above the number of images in each bin of confidence."""
    figure = _blank(theme, width=4.2, height=4.0)
    axes, counts = figure.subplots(2, sharex=True, height_ratios=(4, 1))
    width = np.diff(bins.edges)
    axes.bar(
        bins.edges[:-1], bins.accuracy, width, align="edge", color=theme.accent, edgecolor=theme.background
    )
    axes.plot([0, 1], [0, 1], color=theme.text, linewidth=1, linestyle="--", label="as confident as right")
    axes.plot(
        bins.confidence, bins.accuracy, "o", color=theme.contrast, markersize=4, label="mean of the bin"
    )
    counts.bar(
        bins.edges[:-1], bins.count, width, align="edge", color=theme.faint, edgecolor=theme.background
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="Accuracy")
    counts.set(xlabel="Confidence", ylabel="Images")
    for part in (axes, counts):
        _paint(part, theme)
    _legend(axes, theme, "upper left")
    return figure


def roc_figure(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], theme: Theme = LIGHT
) -> Figure:
    """ROC curve of each class against the rest, from class indices (N,) and probabilities (N, C)."""
    figure, axes = _figure(theme, width=4.2, height=4.0)
    axes.plot([0, 1], [0, 1], color=theme.faint, linewidth=1)
    styles = cycle([(colour, dash) for dash in ("-", "--", ":") for colour in theme.lines])
    for index, (code, (colour, dash)) in enumerate(zip(classes, styles, strict=False)):
        positive, scores = labels == index, probabilities[:, index]
        if 0 < positive.sum() < len(positive):
            false_positive_rate, sensitivity, _ = roc_curve(positive, scores)
            area = f"{code}  {roc_auc_score(positive, scores):.3f}"
            axes.plot(false_positive_rate, sensitivity, dash, color=colour, linewidth=1.6, label=area)
    axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), xlabel="1 - specificity", ylabel="Sensitivity", aspect="equal")
    if len(axes.lines) > 1:
        _legend(axes, theme, "lower right", title="AUC")
    return figure


def risk_coverage_figure(scores: AbstentionScores, theme: Theme = LIGHT) -> Figure:
    """Share of wrong diagnoses, over all and as the mean over classes, where the least confident are left out."""
    figure, axes = _figure(theme, width=4.2, height=4.0)
    coverage = [point.coverage for point in scores.curve]
    risks = {
        "wrong diagnoses": [1 - point.accuracy for point in scores.curve],
        "mean over classes": [1 - point.balanced_accuracy for point in scores.curve],
    }
    for (name, values), colour in zip(risks.items(), (theme.accent, theme.contrast), strict=True):
        axes.plot(coverage, values, "o-", color=colour, markersize=3, linewidth=1.6, label=name)
    axes.axvline(scores.coverage.value, color=theme.text, linewidth=1, linestyle="--", label="without notes")
    axes.set(xlim=(0, 1.01), xlabel="Coverage", ylabel="Share of wrong diagnoses")
    axes.set_ylim(bottom=0)
    _legend(axes, theme, "upper left")
    return figure


def jaccard_figure(jaccards: np.ndarray, theme: Theme = LIGHT) -> Figure:
    """How many images have which Jaccard; those that ISIC's threshold counts as 0 stand out."""
    figure, axes = _figure(theme, width=4.2, height=2.9)
    counts, edges = np.histogram(jaccards, bins=JACCARD_BINS, range=(0, 1))
    failed = edges[1:] <= JACCARD_THRESHOLD + 1e-9
    colours = np.where(failed, theme.contrast, theme.accent)
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=colours, edgecolor=theme.background)
    axes.axvline(JACCARD_THRESHOLD, color=theme.text, linewidth=1, linestyle="--")
    axes.text(
        JACCARD_THRESHOLD - 0.015,
        0.97,
        f"under {JACCARD_THRESHOLD} counts as 0",
        transform=axes.get_xaxis_transform(),
        ha="right",
        va="top",
        fontsize=9,
        color=theme.text,
    )
    axes.set(xlim=(0, 1), xlabel="Jaccard", ylabel="Images")
    return figure


def png_bytes(figure: Figure, pixels_per_inch: int = PIXELS_PER_INCH) -> bytes:
    """The figure as a PNG file's content."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=pixels_per_inch)
    return file.getvalue()


def themed_plot(title: str, description: str, draw: Callable[[Theme], Figure]) -> Plot:
    """The figure that `draw` makes of a theme, as the picture of a page."""
    light, dark = (data_uri("png", png_bytes(draw(theme))) for theme in (LIGHT, DARK))
    return Plot(title, description, light, dark)


def _blank(theme: Theme, width: float, height: float) -> Figure:
    """An empty figure of this size in inches."""
    figure = Figure(figsize=(width, height), facecolor=theme.background, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _figure(theme: Theme, width: float, height: float) -> tuple[Figure, Axes]:
    figure = _blank(theme, width, height)
    axes = figure.subplots()
    _paint(axes, theme)
    return figure, axes


def _paint(axes: Axes, theme: Theme) -> None:
    axes.set_facecolor(theme.background)
    axes.tick_params(colors=theme.text, labelsize=9)
    axes.xaxis.label.set(color=theme.text, fontsize=10)
    axes.yaxis.label.set(color=theme.text, fontsize=10)
    axes.grid(color=theme.faint, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(theme.faint)
        spine.set_visible(side in {"left", "bottom"})


def _legend(axes: Axes, theme: Theme, place: LegendPlace, title: str | None = None) -> None:
    legend = axes.legend(
        loc=place,
        title=title,
        fontsize=8.5,
        facecolor=theme.background,
        edgecolor=theme.faint,
        labelcolor=theme.text,
    )
    legend.get_title().set(color=theme.text, fontsize=8.5)
