"""A frame's lesion in numbers, in millimetres where the file gives the pixels' spacing."""

import numpy as np

from pipeline.dicom.reading import Frame
from pipeline.dicom.spacing import squared
from segmentation.shape import Measurement, measure_lesion


def measure_frame(frame: Frame, mask: np.ndarray) -> tuple[Measurement, ...]:
    """What `measure_lesion` says of a bool mask (H, W) of the frame; pixels that are not square are made so before."""
    if frame.spacing is None:
        return measure_lesion(frame.pixels, mask)
    return measure_lesion(*squared(frame.pixels, mask, frame.spacing))
