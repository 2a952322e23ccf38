"""The models that the page uses: opened once a process, for all visitors."""

from functools import cache

import numpy as np

from pipeline.prediction.predictor import LesionPipeline


@cache
def opened_pipeline(folder: str | None) -> LesionPipeline:
    """The pipeline of a bundle's folder; by default of the bundle that ships."""
    return LesionPipeline.load(folder)


def warm_up(folder: str | None) -> None:
    """Do what the first visitor would wait for: open the models, and import what the page draws and judges with."""
    grey = np.full((64, 64, 3), 128, np.uint8)
    lesion = np.zeros((64, 64), np.bool_)
    lesion[16:48, 16:48] = True
    grey[lesion] = 60
    opened_pipeline(folder).predict(grey)

    from data.quality import image_quality  # noqa: PLC0415 - all of these after the models, which matter most
    from pipeline.app import images_page  # noqa: F401, PLC0415
    from segmentation.shape import measure_lesion  # noqa: PLC0415

    image_quality(grey, lesion)
    measure_lesion(grey, lesion)
