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
        for contour, colour, style in ((reference, "white", "--"), (mask, "#e69f00", "-")):
            if contour.any() and not contour.all():
                axes.contour(contour, levels=[0.5], colors=colour, linewidths=1.2, linestyles=style)

    return picture_grid(examples, draw, columns, "white dashed: reference; orange: prediction")
