"""What the results take over from the image that they are about."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from pydicom import Dataset
from pydicom.uid import SecondaryCaptureImageStorage
from pydicom.valuerep import DA, TM

from pipeline.dicom.reading import Frame

# What makes a photograph one of several frames, or places it in the patient's space: the results lie on its pixels. A
# spacing without the thickness of a slice would make readers of segmentations stumble.
_LEFT_OUT = (
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "NumberOfFrames",
    "FrameIncrementPointer",
    "PixelSpacing",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "ICCProfile",
    "OpticalPathSequence",
)
# Every object has these, though they may be empty; some cameras leave them out.
_NEEDED = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
_PARSERS: dict[str, Callable[[Any], object]] = {"DA": DA, "TM": TM}
UTF_8 = "ISO_IR 192"


def as_reference(frame: Frame) -> Dataset:
    """The header as that of a file with one image, for the library that takes patient, study and references from it.

    `refer_to` makes the references those of the frame again.
    """
    reference = deepcopy(frame.header)
    for keyword in _LEFT_OUT:
        if keyword in reference:
            delattr(reference, keyword)
    for keyword in _NEEDED:
        if not _is_as_the_standard_has_it(reference, keyword):
            setattr(reference, keyword, None)
    reference.SpecificCharacterSet = UTF_8
    if frame.source.number is not None:
        reference.SOPClassUID = SecondaryCaptureImageStorage
    return reference


def _is_as_the_standard_has_it(reference: Dataset, keyword: str) -> bool:
    """Whether a value is there that a result may carry: a sex of another list, or a date in words, may not."""
    if keyword not in reference:
        return False
    value = reference[keyword].value
    if keyword == "PatientSex":
        return not value or value in {"M", "F", "O"}
    try:
        return not value or bool(_PARSERS.get(reference[keyword].VR, str)(value))
    except ValueError:
        return False


def frame_numbers(frame: Frame) -> list[int] | None:
    """The frame's number in a list, or None where the file holds one image."""
    return None if frame.source.number is None else [frame.source.number]


def keep_orientation(result: Dataset, frame: Frame) -> None:
    """Give an image that lies on the frame's pixels its orientation; empty where the frame's is not told."""
    result.PatientOrientation = frame.header.get("PatientOrientation")


def refer_to(frame: Frame, result: Dataset) -> None:
    """Make references to the frame's file name its class and, where the file holds several images, the frame."""
    for element in result.iterall():
        if element.VR != "SQ":
            continue
        for item in element.value:
            if item.get("ReferencedSOPInstanceUID") != frame.header.SOPInstanceUID:
                continue
            item.ReferencedSOPClassUID = frame.header.SOPClassUID
            if element.keyword == "SourceImageSequence" and frame.source.number is not None:
                item.ReferencedFrameNumber = frame.source.number
