"""The overlay as a picture, for viewers that show no segmentation."""

from typing import cast

import highdicom as hd
import numpy as np
from highdicom.sc import ConversionTypeValues, SCImage
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset

from pipeline.dicom.reading import Frame
from pipeline.dicom.reference import as_reference, keep_orientation, refer_to
from pipeline.dicom.software import MANUFACTURER, RESEARCH_USE, Software
from pipeline.prediction.overlays import NOTE_COLOUR, STRIP_COLOUR

SERIES_NUMBER = 9003
NOTICE_PART = 42  # the letters' height in parts of the picture's width
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
        pixel_array=with_notice(overlay),
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


def with_notice(picture: np.ndarray) -> np.ndarray:
    """The picture, uint8 RGB array (h, w, 3), with a strip below that says what it is for."""
    width = picture.shape[1]
    font = cast(ImageFont.FreeTypeFont, ImageFont.load_default(width / NOTICE_PART))
    height = round(2 * font.size)
    strip = Image.new("RGB", (width, height), STRIP_COLOUR)
    ImageDraw.Draw(strip).text((font.size, height / 2), RESEARCH_USE, NOTE_COLOUR, font, anchor="lm")
    return np.vstack([picture, np.asarray(strip)])


def _source(frame: Frame) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = frame.header.SOPClassUID
    item.ReferencedSOPInstanceUID = frame.header.SOPInstanceUID
    return item
