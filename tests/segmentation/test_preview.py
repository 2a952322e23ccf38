"""The preview shows every image as it is and as training would see it."""

import numpy as np
import pandas as pd

from segmentation.preview import VARIANTS, augmentation_sheet


def test_a_row_holds_the_image_and_its_variants(drawn_catalog: pd.DataFrame) -> None:
    sheet = augmentation_sheet(drawn_catalog, "segmentation", "strong", (48, 64), images=2)
    pictures = [axes.images[0].get_array() for axes in sheet.axes]
    assert len(pictures) == 2 * (VARIANTS + 1)
    assert all(picture.shape == (48, 64, 3) for picture in pictures)
    assert any(not np.array_equal(pictures[0], variant) for variant in pictures[1 : VARIANTS + 1])
    assert len(sheet.axes[0].collections) == 1  # the mask's contour


def test_without_augmentation_all_are_the_same(drawn_catalog: pd.DataFrame) -> None:
    sheet = augmentation_sheet(drawn_catalog, "classification", "none", (32, 32), images=1)
    pictures = [axes.images[0].get_array() for axes in sheet.axes]
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
