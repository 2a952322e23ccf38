"""A sheet of validation examples with their masks."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segmentation.engine.curves import picture_grid

Example = tuple[np.ndarray, np.ndarray, np.ndarray]


def segmentation_figure(examples: Sequence[Example], columns: int = 4) -> Figure:
    """Images (H, W, 3) with the contours of the reference mask (white) and of the predicted mask (orange)."""

    def draw(axes: Axes, example: Example) -> None:
        image, reference, mask = example
        axes.imshow(image)
        _draw_contour(axes, reference, "white", "--")
        _draw_contour(axes, mask, "#e69f00", "-")

    return picture_grid(examples, draw, columns, "white dashed: reference; orange: prediction")


def draw_mask(axes: Axes, image: np.ndarray, mask: np.ndarray | None) -> None:
    """Paint an image uint8 (H, W, 3) and the contour of its mask uint8 (H, W), where it has one."""
    axes.imshow(image)
    if mask is not None:
        _draw_contour(axes, mask >= 128, "#e69f00", "-")


def _draw_contour(axes: Axes, mask: np.ndarray, colour: str, style: str) -> None:
    if mask.any() and not mask.all():
        axes.contour(mask, levels=[0.5], colors=colour, linewidths=1.2, linestyles=style)
