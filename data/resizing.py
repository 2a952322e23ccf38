"""Resizing of images, the same in training and prediction so that both see the same pixels."""

import cv2
import numpy as np


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize an image or map to `size`; the aspect ratio is not kept.

    Parameters
    ----------
    image : array (H, W) or (H, W, C), uint8 or float32
    size : (height, width) in pixels

    Returns
    -------
    array (height, width) or (height, width, C), same type; the input itself where it already has that size. Pixels
    are averaged over their area when the image shrinks, and interpolated linearly when it grows.
    """
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a bool mask (H, W) to `size` (height, width): lesion where at least half of the pixel's area is."""
    return resize(mask.view(np.uint8) * 255, size) >= 128
