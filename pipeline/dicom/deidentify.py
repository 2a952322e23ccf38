"""DICOM photographs without their patients: the Basic Profile of DICOM PS3.15, for research."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions, keep
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.uid import UID, SegmentationStorage

from data.files import replacing
from data.images import ImageError
from pipeline.dicom.marker_segments import without_comments
from pipeline.dicom.reading import PHOTOGRAPHS, read_dataset
from pipeline.dicom.software import MANUFACTURER

# The newest edition of PS3.15, table E.1-1, that the library knows.
PROFILE = "dicomfields_2026c"
BASIC_PROFILE = ("113100", "DCM", "Basic Application Confidentiality Profile")
# What stands in the place of dates; the library's own, in the year 1, is refused by validators.
NO_DATE, NO_DATE_TIME = "19000101", "19000101000000"
# What stands in the place of values in files that were de-identified before.
DUMMIES = frozenset({"ANONYMIZED", NO_DATE})
TAKEN = PHOTOGRAPHS | {SegmentationStorage}

# Whose values are searched for in what is written, beside all names of persons.
_WHO = (
    *("PatientID", "OtherPatientIDs", "PatientBirthDate", "PatientAddress", "PatientTelephoneNumbers"),
    *("AccessionNumber", "InstitutionName", "InstitutionAddress", "DeviceSerialNumber"),
    *("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"),
)
_SHORTEST_SECRET = 4


@dataclass
class Pseudonyms:
    """Numbers for patients in the order in which they come: images of one patient stay together.

    The numbers hold for one run: what a patient was called is kept nowhere.
    """

    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, dataset: Dataset) -> str:
        """`P0001` for the first patient. A file without a PatientID is taken as a patient of its own."""
        identity = str(dataset.get("PatientID") or dataset.get("SOPInstanceUID"))
        patient = identity, str(dataset.get("IssuerOfPatientID", ""))
        return f"P{self._numbers.setdefault(patient, len(self._numbers) + 1):04}"


def deidentify_file(path: Path, folder: Path, pseudonyms: Pseudonyms) -> Path:
    """Write a file's image without its patient.

    The file is called by its new UID: the old name may be the patient's. UIDs are replaced by random ones, the same for
    the same within a process, so that references hold. Pixels stay as they are.

    Parameters
    ----------
    path : Path
        A photograph, or a segmentation of one.
    folder : Path
    pseudonyms : Pseudonyms
        Of the run.

    Returns
    -------
    Path of the new file

    Raises
    ------
    ImageError
        If the file can't be read, is of another kind, was there before, or something of the patient would stay in it:
        in the pixels, as the file itself says, or elsewhere, as a search of the result shows.
    """
    dataset = read_dataset(path, with_pixels=True)
    _check(path, dataset)
    patient = pseudonyms.of(dataset)
    known = {patient, *DUMMIES, *_own_serial_number(dataset)}
    secrets = {value: keyword for value, keyword in _secrets(dataset) if value not in known}
    _clean(dataset)
    _say_how(dataset, patient)
    _strip_comments(path, dataset)
    _search(path, dataset, secrets)
    target = folder / f"{dataset.SOPInstanceUID}.dcm"
    if target.exists():
        raise ImageError(f"{path}: is the same image as one before it, by its UID; it is left out.")
    with replacing(target) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)
    return target


def _check(path: Path, dataset: Dataset) -> None:
    kind = UID(str(dataset.get("SOPClassUID", "")))
    if kind not in TAKEN:
        raise ImageError(
            f"{path}: is of the kind {kind.name or 'that is not told'}; photographs and segmentations are "
            "de-identified, and reports are made again from the de-identified photographs."
        )
    for keyword, what in (
        ("BurnedInAnnotation", "text"),
        ("RecognizableVisualFeatures", "a face or the like"),
    ):
        if dataset.get(keyword) == "YES":
            raise ImageError(
                f"{path}: its pixels show {what} ({keyword} is YES), which no profile removes; "
                "leave the image out, or cut it and correct the attribute."
            )


def _clean(dataset: Dataset) -> None:
    """Apply the profile to the file and, which the library leaves out, to what is nested in its sequences."""
    anonymize_dataset(dataset, _references(), base_rules_gen=partial(initialize_actions, PROFILE))
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _clean(item)
        elif element.VR in {"DA", "DT"} and str(element.value).startswith("0001"):
            element.value = NO_DATE if element.VR == "DA" else NO_DATE_TIME


@cache
def _references() -> dict[tuple[int, ...], Callable[..., None]]:
    """Rules for sequences that refer to other images: the profile lets them stay, with the UIDs in them replaced.

    The library would empty them, and a mask would no longer name its photograph.
    """
    tags = dicom_anonymization_database_selector(PROFILE)["X_Z_U_STAR_TAGS"]
    return {tag: keep for tag in tags if dictionary_VR(tag) == "SQ"}


def _say_how(dataset: Dataset, patient: str) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = BASIC_PROFILE
    dataset.PatientName = dataset.PatientID = patient
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    dataset.DeidentificationMethod = f"PS3.15 Basic Profile, dicom-anonymizer {version('dicom-anonymizer')}"
    dataset.DeidentificationMethodCodeSequence = [code]
    dataset.preamble = b"\0" * 128
    for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle", "PrivateInformation"):
        dataset.file_meta.pop(keyword, None)


def _strip_comments(path: Path, dataset: Dataset) -> None:
    """Take comments and EXIF out of compressed pixels; only of an image with one fragment a frame."""
    if not dataset.file_meta.TransferSyntaxUID.is_compressed or "PixelData" not in dataset:
        return
    fragments = list(generate_fragments(dataset.PixelData))[1:]
    if len(fragments) != int(dataset.get("NumberOfFrames") or 1):
        raise ImageError(
            f"{path}: its compressed frames lie in pieces, in which comments can't be searched for; "
            "export the image uncompressed."
        )
    dataset.PixelData = encapsulate([without_comments(fragment) for fragment in fragments])
    dataset["PixelData"].is_undefined_length = True


def _secrets(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """(value, keyword) of all that tells who the patient is and who was there."""
    for element in dataset.iterall():
        if element.VR == "PN" or element.keyword in _WHO:
            values: list[Any] = element.value if element.VM > 1 else [element.value]
            for value in values:
                for part in str(value).replace("=", "^").split("^"):
                    if len(part.strip()) >= _SHORTEST_SECRET:
                        yield part.strip(), element.keyword


def _own_serial_number(dataset: Dataset) -> list[str]:
    """That of this software tells its models apart, and stands in more than one attribute of its masks."""
    return [str(dataset.get("DeviceSerialNumber"))] if dataset.get("Manufacturer") == MANUFACTURER else []


def _search(path: Path, dataset: Dataset, secrets: dict[str, str]) -> None:
    """Look for the secrets in all that will be written but the pixels, as words of their own."""
    for element in (*dataset.file_meta, *dataset.iterall()):
        if element.keyword == "PixelData" or element.VR == "SQ":
            continue
        content = element.value.decode("latin-1") if isinstance(element.value, bytes) else str(element.value)
        for secret, keyword in secrets.items():
            if secret in content and re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w.])", content):
                raise ImageError(
                    f"{path}: the value of {keyword} stands in {element.keyword or element.tag}, too, "
                    "and would stay; remove it there, then de-identify the file."
                )
