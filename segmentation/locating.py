"""Locators: where a trained U-Net finds the lesions of a whole dataset, for the training that comes after it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import keras
import numpy as np
import pandas as pd

from data.files import sha256
from data.images import read_image
from data.progress import tracked
from data.resizing import resize
from segmentation.cropping import Box, lesion_bounds, lesion_mask
from segmentation.engine.normalization import FusedBatchNormalization
from segmentation.engine.run_folder import Run

BATCH_SIZE = 32


class Locator(Protocol):
    """Something trained that finds lesions: a segmentation run, or a bundle's U-Net.

    Attributes
    ----------
    name : str
        What a message calls it.
    identity : str
        Hash of the model that it uses.
    splits : DataFrame or None
        With `image_id` and `split`: what its images served for, where that is known.
    """

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def splits(self) -> pd.DataFrame | None: ...
    def locate(self, catalog: pd.DataFrame) -> pd.DataFrame:
        """Bounds of the lesion in every image.

        Returns
        -------
        DataFrame
            A row an image, in the catalog's order: `image_id, height, width` and the tight box `x0, y0, x1, y1` in
            pixels, which is missing where no plausible lesion was found.
        """
        ...


class RunLocator:
    """The U-Net of a segmentation run as a `Locator`."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def name(self) -> str:
        return str(self.run.folder)

    @cached_property
    def identity(self) -> str:
        return sha256(self.run.model_path)

    @property
    def splits(self) -> pd.DataFrame | None:
        return self.run.splits

    def locate(self, catalog: pd.DataFrame) -> pd.DataFrame:
        """See `Locator`."""
        return locate_lesions(self.run, catalog)


def located_table(catalog: pd.DataFrame, rows: Sequence[tuple[int | None, ...]]) -> pd.DataFrame:
    """What `Locator.locate` returns, from (height, width, x0, y0, x1, y1) of each of the catalog's images."""
    located = pd.DataFrame(rows, columns=["height", "width", *Box._fields])
    located.insert(0, "image_id", catalog["image_id"].to_numpy())
    return located.astype(dict.fromkeys(Box._fields, "Int64"))


def locate_lesions(run: Run, catalog: pd.DataFrame) -> pd.DataFrame:
    """Bounds of the lesion in every image, as the run's model and threshold find them; see `Locator.locate`."""
    layers = {"lesion>FusedBatchNormalization": FusedBatchNormalization}
    model = keras.models.load_model(run.model_path, custom_objects=layers, compile=False)
    threshold = run.metrics["threshold"]
    paths = list(catalog["image_path"])
    rows: list[tuple[int | None, ...]] = []
    for start in tracked(range(0, len(paths), BATCH_SIZE), "looking for the lesions"):
        images = [read_image(path) for path in paths[start : start + BATCH_SIZE]]
        inputs = np.stack([resize(image, model.input_shape[1:3]) for image in images])
        for image, probability in zip(images, np.asarray(model.predict_on_batch(inputs)), strict=True):
            size = image.shape[:2]
            bounds = lesion_bounds(lesion_mask(resize(probability[..., 0], size), threshold))
            rows.append((*size, *(bounds or (None,) * 4)))
    return located_table(catalog, rows)
