"""A bundle's U-Net as a function from image to mask."""

import numpy as np

from data.resizing import resize
from pipeline.bundle.litert import LiteRTModel
from segmentation.cropping import lesion_mask


class MaskFinder:
    """A U-Net as a function from image to mask.

    Parameters
    ----------
    model : LiteRTModel
    threshold : float in 0..1
        Lesion probability from which a pixel belongs to the mask.
    """

    def __init__(self, model: LiteRTModel, threshold: float) -> None:
        self._model, self._threshold = model, threshold

    def __call__(self, image: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Bool mask of a uint8 RGB image (H, W, 3), in its own size or in `size` (height, width)."""
        return lesion_mask(self.probability(image, size), self._threshold)

    def probability(self, image: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Probability of each pixel to be lesion, float32, of an image as above."""
        _, probability = self.answer(image)
        return resize(probability, size or (image.shape[0], image.shape[1]))

    def answer(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The model's input, uint8 (h, w, 3), made of an image, and the lesion's probability (h, w) in it."""
        height, width, _ = self._model.input_shape
        small = resize(image, (height, width))
        (probability,) = self._model(small)
        return small, probability[:, :, 0]
