"""Photographs as a dermatoscope sends them: drawn lesions in DICOM files that dciodvfy finds nothing wrong with."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom")

from pydicom import Dataset  # noqa: E402
from pydicom.dataset import FileMetaDataset  # noqa: E402
from pydicom.uid import (  # noqa: E402
    DermoscopicPhotographyImageStorage,
    ExplicitVRLittleEndian,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    generate_uid,
)

# What no result outside the DICOM objects may hold, and nothing that was de-identified.
PATIENT = {
    "PatientName": "Ærøskøbing^Rosalinde",
    "PatientID": "PID-774411",
    "PatientBirthDate": "19470312",
    "PatientSex": "F",
    "PatientAddress": "Lindenallee 7711",
    "OtherPatientIDs": "OTHER-5521",
    "PatientComments": "called Rosalinde at home",
    "ReferringPhysicianName": "Quackenbush^Theodor",
    "AccessionNumber": "ACC-998877",
    "StudyID": "STUDY-31",
    "InstitutionName": "Klinik am Krötenweg",
    "OperatorsName": "Fotografin^Petra",
    "DeviceSerialNumber": "SERIAL-4242",
    "StationName": "ROOM-17B",
}
SPACING = 0.02


def _write(path: Path, pixels: np.ndarray, **facts: Any) -> Path:
    """A Dermoscopic Photography Image of RGB or grey pixels, or of several frames (n, H, W, 3) a Secondary Capture.

    `facts` are attributes by their keyword; None as a value takes the attribute away.
    """
    several = pixels.ndim == 4
    dataset = _common(pixels, MultiFrameTrueColorSecondaryCaptureImageStorage if several else None)
    _several_frames(dataset, len(pixels)) if several else _dermoscopic(dataset)
    for keyword, value in facts.items():
        if value is None:
            dataset.pop(keyword, None)
        else:
            setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _common(pixels: np.ndarray, kind: str | None) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = kind or DermoscopicPhotographyImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in PATIENT.items():
        setattr(dataset, keyword, value)
    dataset.StudyDate, dataset.StudyTime = "20260102", "101500"
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "XC", 1, 1
    dataset.Manufacturer, dataset.ManufacturerModelName = "Camera maker", "Dermatoscope"
    dataset.SoftwareVersions = "1"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.ContentDate, dataset.ContentTime = "20260102", "101501"
    dataset.AcquisitionDateTime = "20260102101501"
    dataset.PatientOrientation = None
    dataset.Laterality = "L"
    dataset.BurnedInAnnotation, dataset.LossyImageCompression = "NO", "00"
    colours = pixels.shape[-1] == 3
    dataset.SamplesPerPixel = 3 if colours else 1
    dataset.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        dataset.PlanarConfiguration = 0
    bits = pixels.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.Rows, dataset.Columns = pixels.shape[-3:-1] if colours else pixels.shape[-2:]
    dataset.PixelSpacing = [SPACING, SPACING]
    dataset.PixelData = pixels.tobytes()
    return dataset


def _dermoscopic(dataset: Dataset) -> None:
    dataset.Modality = "DMS"
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = generate_uid(), ""
    dataset.RecognizableVisualFeatures = "NO"
    dataset.LightSourcePolarization = dataset.ContactMethod = ""
    dataset.EmitterColorTemperature = dataset.OpticalMagnificationFactor = None
    dataset.AcquisitionContextSequence = []


def _several_frames(dataset: Dataset, frames: int) -> None:
    dataset.NumberOfFrames = frames
    dataset.ConversionType = "DI"
    dataset.FrameIncrementPointer, dataset.FrameTime = 0x00181063, "100"


@pytest.fixture(scope="session")
def write_dicom() -> Callable[..., Path]:
    """A function (path, pixels, **attributes) that writes a DICOM photograph and returns the path."""
    return _write


@pytest.fixture(scope="session")
def patient() -> dict[str, str]:
    """What the photographs say of the patient and the examination, by keyword."""
    return PATIENT


@pytest.fixture
def photograph(tmp_path, draw_disc, write_dicom) -> Path:
    """A drawn lesion in a DICOM file."""
    return write_dicom(tmp_path / "photographs" / "scan.dcm", draw_disc())


@pytest.fixture(scope="session")
def complaints() -> Callable[[Path], list[str]]:
    """A function that gives the errors that dciodvfy finds in a file; skips where it is not installed."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")

    def check(path: Path) -> list[str]:
        outcome = subprocess.run(
            ["dciodvfy", path], capture_output=True, text=True, check=False, errors="replace"
        )
        lines = (outcome.stdout + outcome.stderr).splitlines()
        assert lines, "dciodvfy names at least the kind of object"
        return [line for line in lines if line.startswith(("Error", "Abort"))]

    return check


@pytest.fixture(scope="session")
def said_of(patient) -> Callable[[bytes], list[str]]:
    """A function that gives the patient's words and numbers that bytes hold, in any case, as UTF-8 or Latin 1."""
    secrets = [part for value in patient.values() for part in value.split("^") if len(part) > 1]

    def search(content: bytes) -> list[str]:
        texts = [content.decode(code, "ignore").lower() for code in ("utf-8", "latin-1")]
        return [secret for secret in secrets if any(secret.lower() in text for text in texts)]

    return search
