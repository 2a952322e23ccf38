"""The images that a segmentation can learn from."""

import pandas as pd

from data.datasets.errors import DatasetError


def masked_images(catalog: pd.DataFrame) -> pd.DataFrame:
    """The catalog's images that have a mask; raises DatasetError where none has."""
    masked = catalog[catalog["mask_path"].notna()]
    if masked.empty:
        raise DatasetError(
            "no image of the dataset has a mask to learn from; add masks, or leave the segmentation to a bundle: "
            "lesion train classification --segmentation bundle."
        )
    return masked
