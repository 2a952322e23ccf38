"""What was measured and named, as a DICOM Structured Report after TID 1500."""

from collections.abc import Iterator, Sequence
from typing import Any

import highdicom as hd
from highdicom.seg import Segmentation
from highdicom.sr import (
    AlgorithmIdentification,
    CodeContentItem,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegmentationFrame,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    SourceImageForSegmentation,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes as dictionary
from pydicom.uid import generate_uid

from pipeline.dicom import codes
from pipeline.dicom.reading import Frame
from pipeline.dicom.reference import as_reference, frame_numbers, refer_to
from pipeline.dicom.software import MANUFACTURER, RESEARCH_USE, Software
from pipeline.prediction.predictor import Prediction
from segmentation import shape

SERIES_NUMBER = 9002
DESCRIPTION = "Lesion: report (research use)"

Group = PlanarROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations


def structured_report(
    frame: Frame,
    prediction: Prediction,
    measurements: Sequence[shape.Measurement],
    mask: Segmentation | None,
    software: Software,
) -> ComprehensiveSR:
    """Measurements, ranked classes with their probabilities, and notes.

    Parameters
    ----------
    frame : Frame
    prediction : Prediction of the frame
    measurements : of the lesion, as `measure_lesion` gives them; empty where none was found
    mask : Segmentation, optional
        The region that was measured; without it the report is about the whole image.
    software : Software
        Who says it.

    Returns
    -------
    Comprehensive SR (1.2.840.10008.5.1.4.1.1.88.33), preliminary and unverified
    """
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=_observer(software)),
        procedure_reported=codes.IMAGING_PROCEDURE,
        imaging_measurements=[_group(frame, prediction, measurements, mask, software)],
    )
    _say(report[0].ContentSequence[-1].ContentSequence[0], [RESEARCH_USE, *prediction.notes])
    result = ComprehensiveSR(
        evidence=[as_reference(frame), *([mask] if mask is not None else [])],
        content=report[0],
        series_instance_uid=hd.UID(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=frame.source.number or 1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    _describe(result, software)
    refer_to(frame, result)
    return result


def _observer(software: Software) -> ObserverContext:
    return ObserverContext(
        observer_type=dictionary.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=generate_uid(entropy_srcs=[MANUFACTURER, software.version, software.models]),
            name=MANUFACTURER,
            manufacturer_name=MANUFACTURER,
            model_name=software.bundle,
            serial_number=software.models,
        ),
    )


def _group(
    frame: Frame,
    prediction: Prediction,
    measurements: Sequence[shape.Measurement],
    mask: Segmentation | None,
    software: Software,
) -> Group:
    classes = tuple(prediction.probabilities)
    stated: dict[str, Any] = {
        "tracking_identifier": TrackingIdentifier(uid=hd.UID(), identifier="Lesion 1"),
        "finding_type": codes.LESION,
        "finding_category": codes.MORPHOLOGY,
        "finding_sites": [FindingSite(codes.SKIN)],
        "algorithm_id": AlgorithmIdentification(
            name=MANUFACTURER,
            version=software.version,
            parameters=[f"{name}={value}" for name, value in software.parameters.items()],
            family=codes.ARTIFICIAL_INTELLIGENCE,
        ),
        "measurements": [
            *map(_measured, measurements),
            *_malignant(prediction),
            *(_probability(name, prediction.probabilities[name], classes) for name in _ranked(prediction)),
        ],
        "qualitative_evaluations": [
            QualitativeEvaluation(codes.DIAGNOSIS, codes.diagnosis_code(prediction.diagnosis, classes))
        ],
    }
    image = frame.header.SOPClassUID, frame.header.SOPInstanceUID, frame_numbers(frame)
    if mask is None:
        return MeasurementsAndQualitativeEvaluations(
            source_images=[SourceImageForMeasurementGroup(*image)], **stated
        )
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_segment=_region(mask, SourceImageForSegmentation(*image)), **stated
    )


def _region(mask: Segmentation, image: SourceImageForSegmentation) -> ReferencedSegmentationFrame:
    """A reference to the mask by its segment alone: beside it the standard allows no number of a frame."""
    region = ReferencedSegmentationFrame(mask.SOPClassUID, mask.SOPInstanceUID, 1, 1, image)
    del region[0].ReferencedSOPSequence[0].ReferencedFrameNumber
    return region


def _measured(measurement: shape.Measurement) -> Measurement:
    largest = measurement.name == "Largest diameter"
    return Measurement(
        name=codes.MEASUREMENTS[measurement.name],
        value=_decimal(measurement.value),
        unit=codes.UNITS[measurement.unit],
        derivation=codes.MAXIMUM if largest else None,
    )


def _malignant(prediction: Prediction) -> Iterator[Measurement]:
    if prediction.malignant == prediction.malignant:  # NaN where the classes don't tell
        yield Measurement(codes.MALIGNANT, _decimal(prediction.malignant), codes.NO_UNITS)


def _ranked(prediction: Prediction) -> list[str]:
    return sorted(prediction.probabilities, key=prediction.probabilities.__getitem__, reverse=True)


def _probability(name: str, probability: float, classes: Sequence[str]) -> Measurement:
    measurement = Measurement(codes.PROBABILITY, _decimal(probability), codes.NO_UNITS)
    of_class = CodeContentItem(
        name=codes.FINDING,
        value=codes.diagnosis_code(name, classes),
        relationship_type=RelationshipTypeValues.HAS_CONCEPT_MOD,
    )
    item = measurement[0]
    item.ContentSequence = hd.sr.ContentSequence([of_class])
    return measurement


def _decimal(value: float) -> float:
    """Six digits: a value in DICOM has at most 16 characters."""
    return float(f"{value:.6g}")


def _say(group: Dataset, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        group.ContentSequence.append(
            TextContentItem(
                name=codes.COMMENT, value=sentence, relationship_type=RelationshipTypeValues.CONTAINS
            )
        )


def _describe(result: Dataset, software: Software) -> None:
    result.SeriesDescription = DESCRIPTION
    result.ManufacturerModelName = software.bundle[:64]
    result.SoftwareVersions = software.version
    result.DeviceSerialNumber = software.models
    result.CodingSchemeIdentificationSequence = [codes.private_scheme()]
