"""A prediction drawn on its image."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data.datasets.diagnoses import diagnosis_name
from data.resizing import resize
from pipeline.prediction.predictor import Prediction
from pipeline.reports.pictures import Colour, paint_lines, paint_mask

# In pixels: small images are enlarged until the label can be read, large ones are reduced.
SMALLEST_WIDTH, LARGEST_SIDE = 600, 1600

BOX_COLOUR: Colour = (255, 255, 255)
STRIP_COLOUR: Colour = (24, 26, 30)
TEXT_COLOUR: Colour = (242, 242, 242)
NOTE_COLOUR: Colour = (172, 178, 186)
GROUP_COLOURS: dict[str, Colour] = {
    "malignant": (238, 90, 86),
    "benign": (82, 190, 124),
    "unknown": (150, 156, 164),
}


def draw_overlay(image: np.ndarray, prediction: Prediction) -> np.ndarray:
    """Draw the mask's contour and the crop's box on the image, and a label under it.

    Parameters
    ----------
    image : uint8 RGB array (H, W, 3)
    prediction : Prediction of this image

    Returns
    -------
    uint8 RGB array: the image at a readable size and in its own aspect ratio, with a strip for the label below.
    """
    height, width = _readable_size(*image.shape[:2])
    scale = width / image.shape[1]
    picture = resize(image, (height, width)).copy()
    stroke = max(2, round(max(height, width) / 450))
    if prediction.box:
        paint_lines(picture, [_corners(prediction.box, scale, stroke)], BOX_COLOUR, stroke)
    paint_mask(picture, prediction.mask, stroke)
    return np.vstack([picture, _label(prediction, width, text_height=max(height, width) // 32)])


def _readable_size(height: int, width: int) -> tuple[int, int]:
    scale = min(max(1.0, SMALLEST_WIDTH / width), LARGEST_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _corners(box: Sequence[int], scale: float, stroke: int) -> np.ndarray:
    """The box's corners as a closed line that lies inside it, so that none of it falls off the image's edge."""
    x0, y0, x1, y1 = (round(side * scale) for side in box)
    return np.array(
        [
            (x0 + stroke, y0 + stroke),
            (x1 - 1 - stroke, y0 + stroke),
            (x1 - 1 - stroke, y1 - 1 - stroke),
            (x0 + stroke, y1 - 1 - stroke),
        ],
        np.int32,
    )


def _label(prediction: Prediction, width: int, text_height: int) -> np.ndarray:
    """The strip below the image: the diagnosis with its group's colour, and under it what else there is to say."""
    named = f"{diagnosis_name(prediction.diagnosis)}  {prediction.confidence:.0%}"
    title = prediction.headline.capitalize() if prediction.headline else named
    details = " · ".join([*([named] if prediction.headline else []), *_details(prediction)])
    padding = text_height // 2
    title_left = padding + text_height
    title_font = _fitting_font(title, text_height, width - title_left - padding)
    details_font = _fitting_font(details, title_font.size * 0.75, width - title_left - padding)

    strip = Image.new("RGB", (width, 2 * padding + text_height * 2), STRIP_COLOUR)
    drawing = ImageDraw.Draw(strip)
    middle = padding + text_height // 2
    radius = text_height // 4
    drawing.circle(
        (padding + radius, middle),
        radius,
        GROUP_COLOURS["unknown" if prediction.headline else prediction.group],
    )
    drawing.text((title_left, middle), title, TEXT_COLOUR, title_font, anchor="lm")
    drawing.text((title_left, middle + text_height), details, NOTE_COLOUR, details_font, anchor="lm")
    return np.asarray(strip)


def _details(prediction: Prediction) -> list[str]:
    malignant = [] if math.isnan(prediction.malignant) else [f"malignant {prediction.malignant:.0%}"]
    return [*malignant, *prediction.notes]


def _fitting_font(text: str, height: float, width: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font at the given height, or smaller where the text would be wider than `width`."""
    length = _font(height).getlength(text)
    return _font(height if length <= width else max(6, height * width / length))


@lru_cache(maxsize=64)
def _font(height: float) -> ImageFont.FreeTypeFont:
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(height))
