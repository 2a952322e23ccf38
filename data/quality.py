"""What makes a photograph hard to judge: blur, hair, ink and glare."""

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.measure import blur_effect
from skimage.morphology import skeletonize

from data.resizing import resize, resize_mask

# Longer side, in pixels, of what is judged, so that the limits hold for every camera.
JUDGED_SIDE = 512
# Of 255; what is darker at the image's border lies outside the field of view.
DARKEST_SKIN = 70
# Parts of the longer side: the coloured fringe of a field of view, and a lesion's border that a mask may miss.
RIM_FRINGE, LESION_BORDER = 0.04, 0.03


@dataclass(frozen=True)
class Limits:
    """From where on a photograph gets a note. They were chosen on real photographs whose flaws were told by eye;
    `tests/benchmarks/quality_notes.py` says how often the notes are right on others, and on drawings.

    Attributes
    ----------
    blur : of `blur`
    hair, ink, glare : of the share of the image's area
    """

    blur: float = 0.55
    hair: float = 0.006
    ink: float = 0.0006
    glare: float = 0.0006


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

    Ink and hair are looked for outside the lesion, a bool mask (H, W), where one is given: some lesions are blue, and
    the net of a naevus has lines like hair. Blur is judged in the middle of the image: the black rim of a round field
    of view has no detail.
    """
    scale = min(1.0, JUDGED_SIDE / max(image.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    judged = resize(image, (height, width))
    top, left = height // 6, width // 6
    found = np.zeros((height, width), bool) if lesion is None else resize_mask(lesion, (height, width))
    rim = dark_rim(judged)
    return Quality(
        blur(judged[top : height - top, left : width - left]),
        hair_share(judged, found),
        ink_share(judged, ~rim & ~_grown(found, LESION_BORDER)),
        glare_share(judged, ~rim),
    )


def dark_rim(image: np.ndarray) -> np.ndarray:
    """The black surroundings of a round field of view in an RGB uint8 image (H, W, 3), with the fringe that borders on
    them, as a bool mask (H, W); empty where no dark part touches the image's border.
    """
    _, parts = cv2.connectedComponents((image.max(axis=2) < DARKEST_SKIN).astype(np.uint8))
    touching = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    return _grown(np.isin(parts, touching[touching > 0]), RIM_FRINGE)


def _grown(mask: np.ndarray, share: float) -> np.ndarray:
    """A bool mask (H, W), wider by a share of its longer side."""
    side = 2 * round(share * max(mask.shape)) + 1
    grown: np.ndarray = cv2.dilate(
        mask.view(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    ).astype(bool)
    return grown


def blur(image: np.ndarray) -> float:
    """The blur effect of an RGB uint8 image (H, W, 3): 0 sharp, 1 without any detail.

    F. Crete et al. The blur effect: perception and estimation with a new no-reference perceptual blur metric. SPIE
    Human Vision and Electronic Imaging XII, 2007.
    """
    return float(blur_effect(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), h_size=11))


def hair_share(image: np.ndarray, lesion: np.ndarray | None = None) -> float:
    """Share of an RGB uint8 image (H, W, 3) that long, thin, dark lines cover.

    The lines are what a closing fills, as T. Lee et al. DullRazor: a software approach to hair removal from images.
    Computers in Biology and Medicine 27, 1997, find hair; of them those count that are thin along their middle line,
    and that do not lie in the lesion, a bool mask (H, W), alone.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    side = max(grey.shape)
    width = max(3, 2 * round(4 * side / JUDGED_SIDE) + 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    lines = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel) > 18
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    area = boxes[:, cv2.CC_STAT_AREA]
    middle = np.bincount(parts[skeletonize(lines)], minlength=count)
    is_hair = np.hypot(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]) > side / 20
    is_hair &= area < 8 * middle
    if lesion is not None:
        is_hair &= np.bincount(parts[lesion], minlength=count) < 0.9 * area
    is_hair[0] = False  # what is no line
    return float(area[is_hair].sum() / grey.size)


def ink_share(image: np.ndarray, skin: np.ndarray | None = None) -> float:
    """Share of an RGB uint8 image (H, W, 3) in the blue, violet or green of a skin marker.

    Only where `skin`, a bool mask (H, W), is true: no skin has these colours, but a vascular lesion may.
    """
    smooth = cv2.GaussianBlur(
        image, (0, 0), max(image.shape[:2]) / 400
    )  # a hair's fringe has such colours too
    hue, saturation, value = cv2.split(cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV))
    inked = (hue > 40) & (hue < 150) & (saturation > 75) & (value > 50)
    if skin is not None:
        inked &= skin
    return float(np.count_nonzero(inked) / inked.size)


def glare_share(image: np.ndarray, skin: np.ndarray | None = None) -> float:
    """Share of an RGB uint8 image (H, W, 3) that is white, much brighter than what surrounds it, and no line, as white
    hair is: reflected light. Only where `skin`, a bool mask (H, W), is true.
    """
    least = image.min(axis=2)
    around = cv2.GaussianBlur(least, (0, 0), max(image.shape[:2]) / 40)
    glaring = (least > 200) & (least.astype(np.int16) - around > 40)
    if skin is not None:
        glaring &= skin
    _, _, boxes, _ = cv2.connectedComponentsWithStats(glaring.astype(np.uint8), connectivity=8)
    parts = boxes[1:]
    area = parts[:, cv2.CC_STAT_AREA]
    length = np.hypot(parts[:, cv2.CC_STAT_WIDTH], parts[:, cv2.CC_STAT_HEIGHT])
    compact = (area > 0.075 * length**2) | (length < 8)
    return float(area[compact].sum() / glaring.size)
