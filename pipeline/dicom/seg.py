"""The lesion's mask as a DICOM Segmentation."""

import highdicom as hd
import numpy as np
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    Segmentation,
    SegmentationFractionalTypeValues,
    SegmentationTypeValues,
    SegmentDescription,
)

from pipeline.dicom import codes
from pipeline.dicom.reading import Frame
from pipeline.dicom.reference import as_reference, keep_orientation, refer_to
from pipeline.dicom.software import MANUFACTURER, RESEARCH_USE, Software

SERIES_NUMBER = 9001
DESCRIPTION = "Lesion: mask (research use)"


def segmentation(frame: Frame, mask: np.ndarray, software: Software) -> Segmentation:
    """The mask as a segmentation of its image.

    Parameters
    ----------
    frame : Frame
    mask : bool array (H, W), or float array (H, W) in 0..1
        A bool mask gives a binary segmentation; the probability of lesion a fractional one, in 256 steps.
    software : Software
        Who made it.

    Returns
    -------
    Segmentation (1.2.840.10008.5.1.4.1.1.66.4) with one segment and one frame
    """
    binary = mask.dtype == bool
    algorithm = hd.AlgorithmIdentificationSequence(
        name=MANUFACTURER,
        family=codes.ARTIFICIAL_INTELLIGENCE,
        version=software.version,
        parameters=software.parameters,
    )
    lesion = SegmentDescription(
        segment_number=1,
        segment_label="Lesion",
        segmented_property_category=codes.MORPHOLOGY,
        segmented_property_type=codes.LESION,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
    )
    result = Segmentation(
        source_images=[as_reference(frame)],
        pixel_array=(mask if binary else mask.astype(np.float32))[None],
        segmentation_type=SegmentationTypeValues.BINARY if binary else SegmentationTypeValues.FRACTIONAL,
        segment_descriptions=[lesion],
        series_instance_uid=hd.UID(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=frame.source.number or 1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=software.bundle[:64],
        software_versions=software.version,
        device_serial_number=software.models,
        fractional_type=SegmentationFractionalTypeValues.PROBABILITY,
        max_fractional_value=255,
        content_description=RESEARCH_USE,
        content_label="LESION",
        omit_empty_frames=False,
    )
    result.SeriesDescription = DESCRIPTION
    keep_orientation(result, frame)
    refer_to(frame, result)
    return result
