"""The models that the page uses: opened once a process, for all visitors."""

from functools import cache

import numpy as np

from pipeline.prediction.predictor import LesionPipeline


@cache
def opened_pipeline(folder: str | None) -> LesionPipeline:
    """The pipeline of a bundle's folder; by default of the bundle that ships."""
    return LesionPipeline.load(folder)


def warm_up(folder: str | None) -> None:
    """Do what the first visitor would wait for: open the models, and import what the page draws and measures with."""
    grey = np.full((64, 64, 3), 128, np.uint8)
    grey[16:48, 16:48] = 60
    opened_pipeline(folder).predict(grey)

    from pipeline.app import images_page  # noqa: F401, PLC0415 - after the models, which matter most
    from segmentation.shape import measure_lesion  # noqa: PLC0415

    measure_lesion(grey, grey[:, :, 0] < 100)
