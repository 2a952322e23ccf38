"""The lesion probability from which a pixel belongs to the mask, chosen on several sources of images alike."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.images import read_image, read_mask
from data.progress import tracked
from data.resizing import resize_mask
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import Bundle
from pipeline.bundle.mask_finder import MaskFinder
from segmentation.cropping import lesion_mask
from segmentation.metrics import jaccard

THRESHOLDS = tuple(np.round(np.arange(0.2, 0.81, 0.1), 1).tolist())


def mask_thresholds(bundle: Bundle, catalogs: Sequence[pd.DataFrame]) -> list[dict[str, float]]:
    """What each threshold is worth on images with a mask.

    Parameters
    ----------
    bundle : Bundle
    catalogs : one DataFrame a source, with `image_path` and `mask_path`

    Returns
    -------
    list of dict
        `threshold`; `jaccard`, the mean over the sources of the mean over their images, at the size of the network's
        input; and `area_ratio`, the median over all images of the found area to the mask's. Empty without masks.
    """
    finder = MaskFinder(LiteRTModel(bundle.segmentation_path), bundle.threshold)
    sources = [catalog[catalog["mask_path"].notna()] for catalog in catalogs]
    found = [_overlaps(finder, source) for source in sources if len(source)]
    if not found:
        return []
    jaccards = np.mean([overlaps[:, 0].mean(axis=0) for overlaps in found], axis=0)
    ratios = np.nanmedian(np.concatenate([overlaps[:, 1] for overlaps in found]), axis=0)
    return [
        {"threshold": threshold, "jaccard": float(overlap), "area_ratio": float(ratio)}
        for threshold, overlap, ratio in zip(THRESHOLDS, jaccards, ratios, strict=True)
    ]


def best_threshold(worths: Sequence[dict[str, float]]) -> float:
    """The threshold of the best Jaccard."""
    return max(worths, key=lambda worth: worth["jaccard"])["threshold"]


def _overlaps(finder: MaskFinder, catalog: pd.DataFrame) -> np.ndarray:
    """Jaccard and ratio of areas of N images at each of the T thresholds: (N, 2, T)."""
    rows = []
    for image_path, mask_path in tracked(
        list(zip(catalog["image_path"], catalog["mask_path"], strict=True)), "comparing masks"
    ):
        small, probability = finder.answer(read_image(image_path))
        reference = resize_mask(read_mask(mask_path), (small.shape[0], small.shape[1]))
        masks = [lesion_mask(probability, threshold) for threshold in THRESHOLDS]
        area = reference.sum()
        rows.append(
            (
                [jaccard(mask, reference) for mask in masks],
                [mask.sum() / area if area else np.nan for mask in masks],
            )
        )
    return np.array(rows)
