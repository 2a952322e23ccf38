"""A bundle's U-Net as what finds the lesions of a whole dataset, for a training that comes after it."""

from functools import cached_property

import pandas as pd

from data.images import read_image
from data.progress import tracked
from data.resizing import resize
from data.splits import read_splits
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import Bundle
from segmentation.cropping import lesion_bounds, lesion_mask
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
        model = LiteRTModel(self.bundle.segmentation_path)
        size, rows = model.input_shape[:2], []
        for path in tracked(list(catalog["image_path"]), "looking for the lesions"):
            image = read_image(path)
            (probability,) = model(resize(image, (size[0], size[1])))
            found = resize(probability[:, :, 0], image.shape[:2])
            bounds = lesion_bounds(lesion_mask(found, self.bundle.threshold))
            rows.append((*image.shape[:2], *(bounds or (None,) * 4)))
        return located_table(catalog, rows)
