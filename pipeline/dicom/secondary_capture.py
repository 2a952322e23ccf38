"""The overlay as a picture, for viewers that show no segmentation."""

import highdicom as hd
import numpy as np
from highdicom.sc import ConversionTypeValues, SCImage
from pydicom import Dataset

from pipeline.dicom.reading import Frame
from pipeline.dicom.reference import as_reference, keep_orientation, refer_to
from pipeline.dicom.software import MANUFACTURER, RESEARCH_USE, Software

SERIES_NUMBER = 9003
DESCRIPTION = "Lesion: overlay (research use)"


def secondary_capture(frame: Frame, overlay: np.ndarray, software: Software) -> SCImage:
    """The picture of a prediction as an image of the same study.

    Parameters
    ----------
    frame : Frame
    overlay : uint8 RGB array (h, w, 3)
    software : Software
        Who drew it.

    Returns
    -------
    Secondary Capture Image (1.2.840.10008.5.1.4.1.1.7), uncompressed, derived from the frame
    """
    result = SCImage.from_ref_dataset(
        as_reference(frame),
        pixel_array=overlay,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        series_instance_uid=hd.UID(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=frame.source.number or 1,
        manufacturer=MANUFACTURER,
        patient_orientation=("L", "F"),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    result.ConversionType = ConversionTypeValues.WSD.value
    result.ImageType = ["DERIVED", "SECONDARY"]
    result.BurnedInAnnotation = "YES"  # the diagnosis stands in it, and nothing of the patient
    result.ImageComments = RESEARCH_USE
    result.DerivationDescription = "Lesion's outline, crop and most probable class drawn on the image"
    result.SecondaryCaptureDeviceManufacturer = MANUFACTURER
    result.SecondaryCaptureDeviceManufacturerModelName = software.bundle[:64]
    result.SecondaryCaptureDeviceSoftwareVersions = software.version
    result.SourceImageSequence = [_source(frame)]
    result.SeriesDescription = DESCRIPTION
    result.Laterality = frame.header.get("Laterality")
    keep_orientation(result, frame)
    refer_to(frame, result)
    return result


def _source(frame: Frame) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = frame.header.SOPClassUID
    item.ReferencedSOPInstanceUID = frame.header.SOPInstanceUID
    return item
