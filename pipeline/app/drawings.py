"""Arrays as what a browser can show."""

import cv2
import numpy as np

from data.resizing import resize
from pipeline.reports.pictures import data_uri, encoded


def evidence_range(activation_map: np.ndarray) -> tuple[float, float]:
    """The least and the greatest evidence of any class anywhere in an activation map, float (h, w, C)."""
    return float(activation_map.min()), float(activation_map.max())


def evidence_uri(activation_map: np.ndarray, place: int, side: int = 224) -> str:
    """One class's part of an activation map, float (h, w, C), as the data URI of a transparent PNG of side x side.

    All classes share one scale, from the least to the greatest value of the whole map, so that two classes can be
    compared: the more evidence, the brighter (viridis, which the colour-blind read as well) and the more opaque.
    """
    smallest, largest = evidence_range(activation_map)
    stretched = (activation_map[:, :, place] - smallest) / max(largest - smallest, 1e-9)
    values = np.rint(resize(stretched.astype(np.float32), (side, side)) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(values, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    return data_uri("png", encoded(np.dstack([colours, values]), ".png"))


def contour_path(mask: np.ndarray) -> str:
    """The border of a bool mask (H, W) as the path of an SVG in pixels of the mask; empty for an empty mask."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    tolerance = max(mask.shape) / 1000  # a screen shows no finer steps
    lines = (cv2.approxPolyDP(contour, tolerance, closed=True)[:, 0] for contour in contours)
    return "".join(f"M{' '.join(f'{x},{y}' for x, y in line + 0.5)}Z" for line in lines)
