"""A bundle's U-Net as what finds the lesions of a whole dataset, for a training that comes after it."""

from functools import cached_property

import pandas as pd

from data.images import read_image
from data.progress import tracked
from data.splits import read_splits
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import Bundle
from pipeline.bundle.mask_finder import MaskFinder
from segmentation.cropping import lesion_bounds
from segmentation.locating import located_table


class BundleLocator:
    """The U-Net of a bundle, see `segmentation.locating.Locator`.

    Its `splits` tell which images the U-Net has seen; a split that does not hold a dataset's images says nothing of
    them.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    @property
    def name(self) -> str:
        return f"bundle {self.bundle.name}"

    @property
    def identity(self) -> str:
        return self.bundle.segmentation.sha256

    @cached_property
    def splits(self) -> pd.DataFrame | None:
        return read_splits(self.bundle.splits_path) if self.bundle.splits_path else None

    def locate(self, catalog: pd.DataFrame) -> pd.DataFrame:
        """See `Locator.locate`; an image that can't be read raises ImageError."""
        find = MaskFinder(LiteRTModel(self.bundle.segmentation_path), self.bundle.threshold)
        rows = []
        for path in tracked(list(catalog["image_path"]), "looking for the lesions"):
            image = read_image(path)
            rows.append((*image.shape[:2], *(lesion_bounds(find(image)) or (None,) * 4)))
        return located_table(catalog, rows)
