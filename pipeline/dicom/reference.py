"""What the results take over from the image that they are about."""

from copy import deepcopy

from pydicom import Dataset

from pipeline.dicom.reading import Frame

# What makes a photograph one of several frames, or places it in the patient's space: the results lie on its pixels.
_LEFT_OUT = (
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "NumberOfFrames",
    "FrameIncrementPointer",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "ICCProfile",
    "OpticalPathSequence",
)


def as_reference(frame: Frame) -> Dataset:
    """The header as that of a single image, for a library that takes patient, study and references from it."""
    reference = deepcopy(frame.header)
    for keyword in _LEFT_OUT:
        if keyword in reference:
            delattr(reference, keyword)
    return reference


def frame_numbers(frame: Frame) -> list[int] | None:
    """The frame's number in a list, or None where the file holds one image."""
    return None if frame.source.number is None else [frame.source.number]


def keep_orientation(result: Dataset, frame: Frame) -> None:
    """Give an image that lies on the frame's pixels its orientation; empty where the frame's is not told."""
    result.PatientOrientation = frame.header.get("PatientOrientation")


def keep_frame_number(result: Dataset, frame: Frame) -> None:
    """Add the frame's number to every reference to its file that stands in a sequence of sources."""
    image, number = frame.header.SOPInstanceUID, frame.source.number
    for element in result.iterall() if number else ():
        if element.keyword == "SourceImageSequence":
            for item in element.value:
                if item.get("ReferencedSOPInstanceUID") == image:
                    item.ReferencedFrameNumber = number
