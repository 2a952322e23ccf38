"""What the augmentation makes of a dataset's images, before an hour is spent on training with it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from data.augmentation import Augmentation
from data.images import read_image, read_mask
from data.resizing import resize, resize_mask
from segmentation.engine.curves import picture_grid
from segmentation.figures import draw_mask

VARIANTS = 5


def augmentation_sheet(
    catalog: pd.DataFrame, stage: str, strength: str, size: tuple[int, int], *, images: int = 6, seed: int = 0
) -> Figure:
    """A row for each of some images: the image as it is, and as training would see it in five epochs.

    Parameters
    ----------
    catalog : DataFrame with `image_path`, `mask_path` and `dx`
    stage : "segmentation", whose masks are drawn and change along, or "classification"
    strength : "none", "light" or "strong"
    size : (height, width) of the model's input
    images : rows, of images spread over the catalog
    seed : of the choice of changes

    Raises
    ------
    ImageError
        If an image or mask can't be read.
    """
    augmentation = Augmentation(stage, strength)
    positions = np.unique(np.linspace(0, len(catalog) - 1, min(images, len(catalog))).astype(int))
    seeds = np.random.default_rng(seed).integers(2**31, size=(len(positions), VARIANTS))
    examples = []
    for image, changes in zip(catalog.iloc[positions].to_dict("records"), seeds, strict=True):
        pixels = resize(read_image(str(image["image_path"])), size)
        mask = _mask(image["mask_path"], size) if stage == "segmentation" else None
        examples.append((pixels, mask))
        examples += [augmentation(pixels, mask, seed=int(change)) for change in changes]
    title = f"{stage}, augmentation {strength}: as it is, and as training sees it"
    return picture_grid(examples, lambda axes, example: draw_mask(axes, *example), VARIANTS + 1, title)


def _mask(path: object, size: tuple[int, int]) -> np.ndarray | None:
    if not isinstance(path, str):
        return None
    return resize_mask(read_mask(path), size).astype(np.uint8) * 255
