"""A sheet of validation examples: what the classifier saw, and what it said."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segmentation.engine.curves import picture_grid

Example = tuple[np.ndarray, str, str, float]


def classification_figure(examples: Sequence[Example], columns: int = 8) -> Figure:
    """Images (S, S, 3), each with its reference, its diagnosis and the confidence; errors in orange."""

    def draw(axes: Axes, example: Example) -> None:
        image, reference, diagnosis, confidence = example
        axes.imshow(image)
        colour = "black" if reference == diagnosis else "#d55e00"
        axes.set_title(f"{reference} → {diagnosis} {confidence:.2f}", fontsize=8, color=colour)

    return picture_grid(
        examples, draw, columns, "reference → diagnosis and its confidence; orange: not the same"
    )
