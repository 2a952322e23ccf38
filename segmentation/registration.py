"""Two photographs of one lesion, laid on each other."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from data.resizing import resize, resize_mask

# Longer side, in pixels, of what is compared.
COMPARED_SIDE = 640
MOST_POINTS = 3000
FEWEST_MATCHES = 12
CLOSEST_RATIO = 0.8  # of a point's best match to its second best, as D. Lowe 2004
REACH = 4.0  # pixels by which a matched point may miss
SMALLEST_SCALE, LARGEST_SCALE = 0.4, 2.5
TURN_STEP = 3  # degrees


@dataclass(frozen=True, eq=False)
class Alignment:
    """How the later photograph lies on the earlier one.

    Attributes
    ----------
    matrix : float array (2, 3)
        Takes a point (x, y) of the later image to the earlier image.
    by : "skin" or "contour"
        Whether details of both photographs were matched, or, where too few agree, the lesions' contours alone; the size
        is then taken for unchanged, and the turn is a guess.
    matches : int
        Points that agree; 0 with "contour".
    """

    matrix: np.ndarray
    by: str
    matches: int

    @property
    def scale(self) -> float:
        """Pixels of the earlier image to one of the later."""
        return float(math.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    def laid(self, later: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The later image, or mask, as it lies on the earlier one of `size` (height, width)."""
        height, width = size
        is_mask = later.dtype == bool
        source = later.view(np.uint8) if is_mask else later
        laid = cv2.warpAffine(
            source,
            self.matrix,
            (width, height),
            flags=cv2.INTER_NEAREST if is_mask else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )
        return laid.view(bool) if is_mask else laid


def align(
    earlier: np.ndarray, later: np.ndarray, earlier_mask: np.ndarray, later_mask: np.ndarray
) -> Alignment:
    """Lay the later photograph on the earlier one by turning, shifting and scaling it.

    Points of both are matched by ORB (E. Rublee et al. ORB: an efficient alternative to SIFT or SURF. ICCV 2011) and a
    RANSAC estimate; where fewer than `FEWEST_MATCHES` agree, the contours decide.

    Parameters
    ----------
    earlier, later : uint8 RGB arrays (H, W, 3)
    earlier_mask, later_mask : bool arrays (H, W), which hold a lesion each

    Raises
    ------
    ValueError
        If a mask is empty.
    """
    if not (earlier_mask.any() and later_mask.any()):
        raise ValueError("an image without a lesion can't be laid on another")
    scales = [COMPARED_SIDE / max(image.shape[:2]) for image in (earlier, later)]
    greys = [_grey(image, scale) for image, scale in zip((earlier, later), scales, strict=True)]
    matrix, matches = _by_points(*greys)
    if matrix is None:
        masks = [
            resize_mask(mask, grey.shape)
            for mask, grey in zip((earlier_mask, later_mask), greys, strict=True)
        ]
        matrix = _by_contours(*masks)
    matrix = matrix.copy()
    matrix[:, :2] *= scales[1] / scales[0]
    matrix[:, 2] /= scales[0]
    return Alignment(matrix, "skin" if matches else "contour", matches)


def _grey(image: np.ndarray, scale: float) -> np.ndarray:
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    grey = cv2.cvtColor(resize(image, (height, width)), cv2.COLOR_RGB2GRAY)
    return cv2.createCLAHE(2.0, (8, 8)).apply(grey)


def _by_points(earlier: np.ndarray, later: np.ndarray) -> tuple[np.ndarray | None, int]:
    detector = cv2.ORB.create(MOST_POINTS, fastThreshold=8)
    points, codes = zip(*(detector.detectAndCompute(grey, None) for grey in (earlier, later)), strict=True)
    if any(code is None or len(code) < FEWEST_MATCHES for code in codes):
        return None, 0
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(codes[1], codes[0], k=2)
    good = [
        pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < CLOSEST_RATIO * pair[1].distance
    ]
    if len(good) < FEWEST_MATCHES:
        return None, 0
    source = np.array([points[1][match.queryIdx].pt for match in good], np.float32)
    target = np.array([points[0][match.trainIdx].pt for match in good], np.float32)
    cv2.setRNGSeed(0)
    matrix, agreeing = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=REACH, maxIters=5000
    )
    matches = 0 if agreeing is None else int(agreeing.sum())
    if matrix is None or matches < FEWEST_MATCHES:
        return None, 0
    if not SMALLEST_SCALE <= math.hypot(matrix[0, 0], matrix[1, 0]) <= LARGEST_SCALE:
        return None, 0
    return np.asarray(matrix), matches


def _by_contours(earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Centre on centre, turned so that the two overlap most."""
    middles = [np.argwhere(mask).mean(axis=0)[::-1] for mask in (earlier, later)]
    height, width = earlier.shape
    best = -1.0
    found: np.ndarray = np.zeros((2, 3))
    for turn in range(0, 360, TURN_STEP):
        matrix = cv2.getRotationMatrix2D(middles[1].tolist(), turn, 1.0)
        matrix[:, 2] += middles[0] - middles[1]
        laid = cv2.warpAffine(later.view(np.uint8), matrix, (width, height)).view(bool)
        overlap = np.count_nonzero(laid & earlier) / np.count_nonzero(laid | earlier)
        if overlap > best:
            best, found = overlap, matrix
    return found
