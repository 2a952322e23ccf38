"""What makes a photograph hard to judge: blur, hair, ink and glare."""

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.measure import blur_effect

from data.resizing import resize, resize_mask

# Longer side, in pixels, of what is judged, so that the limits hold for every camera.
JUDGED_SIDE = 512


@dataclass(frozen=True)
class Limits:
    """From where on a photograph gets a note. They were chosen on drawings; `tests/benchmarks/quality_notes.py` tells
    how often the notes are right on other ones.

    Attributes
    ----------
    blur : of `blur`
    hair, ink, glare : of the share of the image's area
    """

    blur: float = 0.55
    hair: float = 0.005
    ink: float = 0.0006
    glare: float = 0.0008


@dataclass(frozen=True)
class Quality:
    """How blurred an image is, 0..1, and which share of its area is hair, ink and glare."""

    blur: float
    hair: float
    ink: float
    glare: float

    def notes(self, limits: Limits = Limits()) -> tuple[str, ...]:
        """What a reader should know of the photograph; empty where there is nothing."""
        words = {
            "blur": "the image is blurred",
            "hair": "hair lies over the skin",
            "ink": "there is ink on the skin",
            "glare": "the light is reflected",
        }
        return tuple(text for name, text in words.items() if getattr(self, name) > getattr(limits, name))


def image_quality(image: np.ndarray, lesion: np.ndarray | None = None) -> Quality:
    """Judge an RGB uint8 image (H, W, 3).

    Ink is looked for outside the lesion, a bool mask (H, W), where one is given: some lesions are blue. Blur is judged
    in the middle of the image: the black rim of a round field of view has no detail.
    """
    scale = min(1.0, JUDGED_SIDE / max(image.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    judged = resize(image, (height, width))
    top, left = height // 6, width // 6
    skin = None if lesion is None else ~resize_mask(lesion, (height, width))
    return Quality(
        blur(judged[top : height - top, left : width - left]),
        hair_share(judged),
        ink_share(judged, skin),
        glare_share(judged),
    )


def blur(image: np.ndarray) -> float:
    """The blur effect of an RGB uint8 image (H, W, 3): 0 sharp, 1 without any detail.

    F. Crete et al. The blur effect: perception and estimation with a new no-reference perceptual blur metric. SPIE
    Human Vision and Electronic Imaging XII, 2007.
    """
    return float(blur_effect(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), h_size=11))


def hair_share(image: np.ndarray) -> float:
    """Share of an RGB uint8 image (H, W, 3) that long, thin, dark lines cover.

    The lines are what a closing fills, as T. Lee et al. DullRazor: a software approach to hair removal from images.
    Computers in Biology and Medicine 27, 1997, find hair; of them only those count that are far longer than wide.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    lines = (cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel) > 18).astype(np.uint8)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    parts = statistics[1:]
    width, height, area = (
        parts[:, cv2.CC_STAT_WIDTH],
        parts[:, cv2.CC_STAT_HEIGHT],
        parts[:, cv2.CC_STAT_AREA],
    )
    length = np.hypot(width, height)
    is_hair = (length > max(image.shape[:2]) / 10) & (area < 6 * length)
    return float(area[is_hair].sum() / grey.size)


def ink_share(image: np.ndarray, skin: np.ndarray | None = None) -> float:
    """Share of an RGB uint8 image (H, W, 3) in the blue, violet or green of a skin marker.

    Only where `skin`, a bool mask (H, W), is true: no skin has these colours, but a vascular lesion may.
    """
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    inked = (hue > 40) & (hue < 150) & (saturation > 75) & (value > 50)
    if skin is not None:
        inked &= skin
    return float(np.count_nonzero(inked) / inked.size)


def glare_share(image: np.ndarray) -> float:
    """Share of an RGB uint8 image (H, W, 3) that is white and much brighter than what surrounds it: reflected light."""
    least = image.min(axis=2)
    around = cv2.GaussianBlur(least, (0, 0), max(image.shape[:2]) / 40)
    glaring = (least > 200) & (least.astype(np.int16) - around > 40)
    return float(np.count_nonzero(glaring) / glaring.size)
