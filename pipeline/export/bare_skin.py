"""Pictures of skin without a lesion, cut out of photographs of lesions."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from data.images import read_image
from pipeline.prediction.predictor import LesionPipeline

PART, CLEARANCE = 3, 25  # of the image's sides; pixels around the mask
SMALLEST_SIDE = 24
DARKEST_MEAN, DARKEST_PIXEL = 60, 25  # of 255: what is darker may be a corner beyond the lens


def skin_corners(pipeline: LesionPipeline, image_paths: Sequence[str], most: int) -> Iterator[np.ndarray]:
    """Corners of images, a third as wide and as high, that are bright and hold nothing of the lesion.

    Parameters
    ----------
    pipeline : finds the lesions
    image_paths : sequence of paths
    most : about how many corners to yield

    Yields
    ------
    uint8 RGB arrays (H / 3, W / 3, 3)
    """
    found = 0
    for path in image_paths:
        if found >= most:
            return
        image = read_image(path)
        near = cv2.dilate(
            pipeline.predict(image).mask.view(np.uint8), np.ones((CLEARANCE, CLEARANCE), np.uint8)
        )
        height, width = image.shape[0] // PART, image.shape[1] // PART
        for top in (0, image.shape[0] - height):
            for left in (0, image.shape[1] - width):
                place = slice(top, top + height), slice(left, left + width)
                corner = image[place]
                bright = corner.mean() > DARKEST_MEAN and corner.min() > DARKEST_PIXEL
                if bright and not near[place].any() and min(height, width) >= SMALLEST_SIDE:
                    found += 1
                    yield np.ascontiguousarray(corner)
