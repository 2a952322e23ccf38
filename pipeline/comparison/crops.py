"""Differing crops: whether the crops differ from the full image at all, without which comparing them tells nothing."""

import numpy as np
import pandas as pd

from data.images import read_mask
from pipeline.comparison.arms import Arm
from segmentation.cropping import lesion_bounds, widen

# A crop that shows more of the image than this is as good as the image.
ALMOST_ALL = 0.95
LEAST_JACCARD = 0.6
LEAST_DIFFERING = 0.5


def differing_crops(images: pd.DataFrame, arm: Arm) -> float | None:
    """Share of the images in which the arm's crop shows another part than all of the image; None for other views.

    Parameters
    ----------
    images : DataFrame with `found_path` and `mask_path`
    arm : Arm
    """
    if arm.view != "crop":
        return None
    paths = images["mask_path" if arm.masks == "reference" else "found_path"]
    shares = [1.0 if pd.isna(path) else _share(str(path), arm.margin) for path in paths]
    return float(np.mean(np.array(shares) < ALMOST_ALL))


def _share(mask_path: str, margin: float) -> float:
    """The part of the image that a crop around this mask shows; 1 where it holds no lesion."""
    mask = read_mask(mask_path)
    bounds = lesion_bounds(mask)
    if bounds is None:
        return 1.0
    box = widen(bounds, margin, mask.shape)
    return box.width * box.height / mask.size


def poor_masks(jaccard: float | None, differing: float | None) -> str | None:
    """Why crops around these masks answer nothing, or None where they do.

    Parameters
    ----------
    jaccard : mean of the masks with the dataset's own, where it has some
    differing : from `differing_crops`
    """
    if jaccard is not None and jaccard < LEAST_JACCARD:
        return f"the masks found have a mean Jaccard of {jaccard:.3f}, under {LEAST_JACCARD:g}"
    if differing is not None and differing < LEAST_DIFFERING:
        return f"only {differing:.0%} of the crops show less than the full image"
    return None
