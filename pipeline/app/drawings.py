"""Arrays as what a browser can show."""

import base64

import cv2
import numpy as np

from data.resizing import resize

JPEG_QUALITY = 90


def jpeg_uri(image: np.ndarray, longest_side: int) -> str:
    """An RGB uint8 image (H, W, 3) as the data URI of a JPEG, reduced where a side is longer than `longest_side`."""
    scale = min(1.0, longest_side / max(image.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    bgr = cv2.cvtColor(resize(image, (height, width)), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data_uri("jpeg", encoded.tobytes())


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
    bgr = cv2.applyColorMap(values, cv2.COLORMAP_VIRIDIS)
    _, encoded = cv2.imencode(".png", np.dstack([bgr, values]))
    return data_uri("png", encoded.tobytes())


def contour_path(mask: np.ndarray) -> str:
    """The border of a bool mask (H, W) as the path of an SVG in pixels of the mask; empty for an empty mask."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    tolerance = max(mask.shape) / 1000  # a screen shows no finer steps
    lines = (cv2.approxPolyDP(contour, tolerance, closed=True)[:, 0] for contour in contours)
    return "".join(f"M{' '.join(f'{x},{y}' for x, y in line + 0.5)}Z" for line in lines)


def data_uri(image_format: str, content: bytes) -> str:
    """A picture file's content as an address that needs no request."""
    return f"data:image/{image_format};base64,{base64.b64encode(content).decode()}"
