"""A folder of DICOM results: a mask, a report and a picture for every image, and a table of measurements."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydicom import Dataset

from data.files import replacing
from pipeline.dicom.codes import MEASUREMENTS
from pipeline.dicom.measuring import measure_frame
from pipeline.dicom.reading import Frame, FrameSource
from pipeline.dicom.secondary_capture import secondary_capture
from pipeline.dicom.seg import segmentation
from pipeline.dicom.software import Software
from pipeline.dicom.sr import structured_report
from pipeline.prediction.outputs import FileNames
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import Prediction
from segmentation.shape import Measurement

TABLE = "measurements.csv"
# What names the patient and the examination; in the table only where it is asked for.
IDS = ("PatientID", "AccessionNumber", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True)
class DicomSettings:
    """What is written for each image.

    Attributes
    ----------
    probability : function of a uint8 RGB array (H, W, 3), optional
        Gives the probability of lesion, float (H, W) in 0..1; then the segmentations are fractional, else binary.
    ids : bool
        Whether the table tells patients and examinations apart.
    """

    probability: Callable[[np.ndarray], np.ndarray] | None = None
    ids: bool = False


class DicomFolder:
    """Writes predictions as DICOM as they come, and keeps none of them. Made by `DicomFolder.open`."""

    def __init__(self, folder: Path, software: Software, settings: DicomSettings, table: Any) -> None:
        self._folder = folder
        self._software = software
        self._settings = settings
        self._table = table
        self._names = FileNames()

    @classmethod
    @contextmanager
    def open(
        cls, folder: str | Path, software: Software, settings: DicomSettings | None = None
    ) -> Iterator[Self]:
        """Yield the writer for a `with` block.

        Every image gets `<name>_sr.dcm`, `<name>_sc.dcm` and, where a lesion was found, `<name>_seg.dcm`;
        `measurements.csv` appears, complete, when the block ends without an error.

        Raises
        ------
        OSError
            If the folder can't be written to.
        """
        settings = settings or DicomSettings()
        with (
            replacing(Path(folder) / TABLE) as temporary,
            temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
        ):
            table = csv.writer(file, lineterminator="\n")
            table.writerow(table_columns(settings.ids))
            yield cls(Path(folder), software, settings, table)

    def add(self, source: FrameSource, prediction: Prediction) -> str:
        """Write the results of one image.

        Parameters
        ----------
        source : FrameSource
        prediction : Prediction of this image

        Returns
        -------
        The name that the image's files begin with.

        Raises
        ------
        ImageError
            If the image can't be read any more.
        """
        frame = source.open()
        name = self._names.choose(source.name)
        measurements = measure_frame(frame, prediction.mask)
        mask = None
        if prediction.mask.any():
            mask = segmentation(frame, self._mask(frame, prediction), self._software)
            self._write(f"{name}_seg.dcm", mask)
        report = structured_report(frame, prediction, measurements if mask else (), mask, self._software)
        self._write(f"{name}_sr.dcm", report)
        picture = secondary_capture(frame, draw_overlay(frame.pixels, prediction), self._software)
        self._write(f"{name}_sc.dcm", picture)
        self._table.writerow(table_row(frame, measurements, self._settings.ids))
        return name

    def _mask(self, frame: Frame, prediction: Prediction) -> np.ndarray:
        probability = self._settings.probability
        return prediction.mask if probability is None else probability(frame.pixels)

    def _write(self, name: str, result: Dataset) -> None:
        with replacing(self._folder / name) as temporary:
            result.save_as(temporary, enforce_file_format=True)


def table_columns(ids: bool) -> tuple[str, ...]:
    """The columns of `measurements.csv`."""
    head = (
        "image",
        "row_spacing_mm",
        "column_spacing_mm",
        "area_mm2",
        "diameter_mm",
        "area_px",
        "diameter_px",
    )
    return (*head, *map(_column, tuple(MEASUREMENTS)[2:]), *(IDS if ids else ()))


def table_row(frame: Frame, measurements: tuple[Measurement, ...], ids: bool) -> list[object]:
    """The values of `table_columns`: millimetres or pixels, never both; empty where there is nothing to tell."""
    values = {measurement.name: f"{measurement.value:.6g}" for measurement in measurements}
    sizes = [values.pop("Area", ""), values.pop("Largest diameter", "")]
    known = frame.spacing is not None
    return [
        frame.source.name,
        *(frame.spacing or ("", "")),
        *(sizes if known else ("", "")),
        *(("", "") if known else sizes),
        *(values.get(name, "") for name in tuple(MEASUREMENTS)[2:]),
        *(frame.header.get(keyword, "") for keyword in (IDS if ids else ())),
    ]


def _column(name: str) -> str:
    return name.lower().replace(" ", "_")
