"""Where a trained U-Net finds the lesions of a whole dataset, for the training that comes after it."""

import keras
import numpy as np
import pandas as pd

from data.images import read_image
from data.progress import tracked
from data.resizing import resize
from segmentation.cropping import Box, lesion_bounds, lesion_mask
from segmentation.engine.normalization import FusedBatchNormalization
from segmentation.engine.run_folder import Run

BATCH_SIZE = 32


def locate_lesions(run: Run, catalog: pd.DataFrame) -> pd.DataFrame:
    """Bounds of the lesion in every image, as the run's model and threshold find them.

    Returns
    -------
    DataFrame
        A row an image, in the catalog's order: `image_id, height, width` and the tight box `x0, y0, x1, y1` in
        pixels, which is missing where no plausible lesion was found.
    """
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
    located = pd.DataFrame(rows, columns=["height", "width", *Box._fields])
    located.insert(0, "image_id", catalog["image_id"].to_numpy())
    return located.astype(dict.fromkeys(Box._fields, "Int64"))
