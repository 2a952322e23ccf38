"""The figures of a comparison as pictures, for light and for dark pages."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data.resizing import resize
from pipeline.comparison.results import ArmFigures, Condition, Contrast
from pipeline.comparison.statistics import Estimate
from pipeline.reports.pictures import paint_mask, scaled_size
from pipeline.reports.plots import LIGHT, Theme
from segmentation.cropping import Box

THUMBNAIL_SIDE = 240


def differences_figure(contrasts: Sequence[Contrast], smallest: float, theme: Theme = LIGHT) -> Figure:
    """Every contrast's differences of balanced accuracy and macro F1 with their intervals, and each seed's as a dot.

    The band shows the differences that are smaller than the smallest one of interest.
    """
    with _figure(theme, 7.2, 1.1 + 0.62 * len(contrasts)) as (figure, axes):
        rows = np.arange(len(contrasts))[::-1]
        axes.axvspan(-smallest, smallest, color=theme.faint, alpha=0.45, linewidth=0)
        axes.axvline(0, color=theme.text, linewidth=1)
        for name, label, colour, lift in (
            ("balanced_accuracy", "balanced accuracy", theme.accent, 0.14),
            ("macro_f1", "macro F1", theme.contrast, -0.14),
        ):
            estimates = [contrast.differences[name] for contrast in contrasts]
            _whiskers(axes, estimates, rows + lift, colour, label)
            for row, estimate in zip(rows + lift, estimates, strict=True):
                axes.plot(estimate.seeds, np.full(len(estimate.seeds), row), "|", color=colour, markersize=8)
        axes.set_yticks(rows, [contrast.name for contrast in contrasts])
        axes.set(xlabel="difference; marks are single seeds, the band is too small to matter")
        axes.margins(y=0.12)
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, 1 + 0.42 / (0.4 + 0.62 * len(contrasts))), ncols=2
        )
    return figure


def classes_figure(
    arms: Mapping[str, ArmFigures], support: Mapping[str, int], theme: Theme = LIGHT
) -> Figure:
    """Bars of every class's F1, an arm beside the other, with intervals."""
    classes = [code for code, count in support.items() if count]
    with _figure(theme, 9.5, 3.6) as (figure, axes):
        width = 0.82 / len(arms)
        for number, (name, arm) in enumerate(arms.items()):
            estimates = [arm.figures[f"f1_{code}"] for code in classes]
            places = np.arange(len(classes)) + (number - (len(arms) - 1) / 2) * width
            axes.bar(
                places,
                [estimate.value for estimate in estimates],
                width * 0.92,
                yerr=_reaches(estimates),
                error_kw={"ecolor": theme.text, "elinewidth": 0.9},
                color=theme.lines[number % len(theme.lines)],
                alpha=0.85,
                label=name,
            )
        axes.set_xticks(range(len(classes)), [f"{code}\n{support[code]} images" for code in classes])
        axes.set(ylabel="F1", ylim=(0, 1))
        axes.grid(visible=False, axis="x")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=6)
    return figure


def robustness_figure(conditions: Sequence[Condition], theme: Theme = LIGHT) -> Figure:
    """Balanced accuracy of every arm under every condition, with intervals."""
    with _figure(theme, 9.5, 3.6) as (figure, axes):
        arms = list(conditions[0].figures)
        for number, arm in enumerate(arms):
            estimates = [condition.figures[arm] for condition in conditions]
            axes.errorbar(
                np.arange(len(conditions)) + (number - (len(arms) - 1) / 2) * 0.11,
                [estimate.value for estimate in estimates],
                yerr=_reaches(estimates),
                fmt="osD^v<>Phxd"[number],
                color=theme.lines[number % len(theme.lines)],
                markersize=5,
                elinewidth=1.2,
                label=arm,
            )
        axes.set_xticks(range(len(conditions)), [condition.name for condition in conditions])
        axes.set(ylabel="balanced accuracy")
        axes.grid(visible=False, axis="x")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=6)
    return figure


def example_picture(image: np.ndarray, mask: np.ndarray, box: Box | None) -> np.ndarray:
    """A thumbnail of an image (H, W, 3) with the contour of the found lesion and the square that the crop sees."""
    picture = resize(image, scaled_size(image.shape[:2], THUMBNAIL_SIDE)).copy()
    paint_mask(picture, mask, width=1)
    if box:
        scale = THUMBNAIL_SIDE / max(image.shape[:2])
        x0, y0, x1, y1 = (round(value * scale) for value in box)
        cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), (255, 255, 255), 2, cv2.LINE_AA)
    return picture


def _whiskers(axes: Axes, estimates: Sequence[Estimate], rows: np.ndarray, colour: str, label: str) -> None:
    values = [estimate.value for estimate in estimates]
    axes.errorbar(
        values, rows, xerr=_reaches(estimates), fmt="o", color=colour, markersize=5, elinewidth=2, label=label
    )


def _reaches(estimates: Sequence[Estimate]) -> np.ndarray:
    """Distances (2, n) from the values to their bounds, as matplotlib's error bars want them."""
    return np.nan_to_num(
        [
            [estimate.value - estimate.low for estimate in estimates],
            [estimate.high - estimate.value for estimate in estimates],
        ]
    )


@contextmanager
def _figure(theme: Theme, width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of this size in inches, whose axes are drawn in the theme's colours."""
    colours = {
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "legend.facecolor"), theme.background),
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), theme.text),
        **dict.fromkeys(("axes.edgecolor", "grid.color", "legend.edgecolor"), theme.faint),
    }
    shapes = {"axes.grid": True, "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False}
    sizes = {"font.size": 9.5, "legend.fontsize": 9, "grid.linewidth": 0.6, "legend.frameon": False}
    settings: Any = {**colours, **shapes, **sizes}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots()
