"""A folder of DICOM results: a mask, a report and a picture for every image."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset

from data.files import replacing
from data.images import ImageError
from pipeline.dicom.measuring import measure_frame
from pipeline.dicom.reading import Frame, FrameSource
from pipeline.dicom.secondary_capture import secondary_capture
from pipeline.dicom.seg import segmentation
from pipeline.dicom.software import software_of
from pipeline.dicom.sr import structured_report
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import LesionPipeline, Prediction
from pipeline.prediction.sources import ImageSource
from segmentation.shape import Measurement

# What names the patient and the examination; it leaves the DICOM files only where it is asked for.
IDS = ("PatientID", "AccessionNumber", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True)
class DicomFolder:
    """Where DICOM results are written. Small, and to be sent to another process.

    Attributes
    ----------
    folder : Path
        It gets `<name>_sr.dcm`, `<name>_sc.dcm` and, where a lesion was found, `<name>_seg.dcm`.
    fractional : bool
        Whether the segmentations hold the probability of lesion, and not the mask alone.
    ids : bool
        Whether what `write` returns tells patients and examinations apart.
    """

    folder: Path
    fractional: bool = False
    ids: bool = False

    def write(
        self, name: str, source: ImageSource, prediction: Prediction, pipeline: LesionPipeline
    ) -> dict[str, Any]:
        """Write the results of one image.

        Parameters
        ----------
        name : str
            What its files begin with.
        source : ImageSource
            Nothing is written for one that is no `FrameSource`.
        prediction : Prediction of this image
        pipeline : LesionPipeline that made it

        Returns
        -------
        What else there is to say, in types that JSON knows: `spacing` (rows and columns in mm, or None),
        `measurements` (name -> value and unit), and `ids` (keyword -> value) where they are asked for.

        Raises
        ------
        ImageError
            If the image can't be read any more, or what its file says fits no result.
        OSError
            If the folder can't be written to.
        """
        if not isinstance(source, FrameSource):
            return {}
        frame = source.open()
        measurements = measure_frame(frame, prediction.mask)
        for kind, content in self._results(frame, prediction, measurements, pipeline):
            with replacing(self.folder / f"{name}_{kind}.dcm") as temporary:
                temporary.write_bytes(content)
        return {
            "spacing": list(frame.spacing) if frame.spacing else None,
            "measurements": {one.name: [one.value, one.unit] for one in measurements},
            **({"ids": {keyword: str(frame.header.get(keyword, "")) for keyword in IDS}} if self.ids else {}),
        }

    def _results(
        self,
        frame: Frame,
        prediction: Prediction,
        measurements: Sequence[Measurement],
        pipeline: LesionPipeline,
    ) -> list[tuple[str, bytes]]:
        """Mask (where there is a lesion), report and picture as files, each with the ending of its name."""
        software, mask = software_of(pipeline.bundle), None
        try:
            if prediction.mask.any():
                mask = segmentation(frame, self._mask(frame, prediction, pipeline), software)
            report = structured_report(frame, prediction, measurements if mask else (), mask, software)
            picture = secondary_capture(frame, draw_overlay(frame.pixels, prediction), software)
            return [
                *([("seg", _encoded(mask))] if mask else []),
                ("sr", _encoded(report)),
                ("sc", _encoded(picture)),
            ]
        except (ImageError, OSError):
            raise
        except Exception as error:  # whatever stands in a header never ends the work on the others
            # Not the library's words: they may quote the patient's data.
            raise ImageError(
                f"{frame.source.name}: no DICOM results, some attribute of its patient or study is not as the standard "
                "has it; look what dciodvfy says of the file."
            ) from error

    def _mask(self, frame: Frame, prediction: Prediction, pipeline: LesionPipeline) -> np.ndarray:
        return pipeline.lesion_probability(frame.pixels) if self.fractional else prediction.mask


def _encoded(result: Dataset) -> bytes:
    content = BytesIO()
    result.save_as(content, enforce_file_format=True)
    return content.getvalue()
