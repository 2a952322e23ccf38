"""What is written as DICOM is valid, belongs to the patient's study, and says what the prediction says."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import highdicom as hd
import numpy as np
import pytest
from pydicom import Dataset, config, dcmread

from data.images import ImageError
from pipeline.dicom.folder import DicomFolder
from pipeline.dicom.reading import FrameSource, frame_sources, is_photograph
from pipeline.dicom.software import RESEARCH_USE, software_of
from pipeline.dicom.table import table_columns, table_row
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import Prediction


class Written(NamedTuple):
    photograph: Path
    results: Path
    prediction: Prediction


@pytest.fixture
def write(pipeline, tmp_path):
    """A function that predicts a file's frames and writes the results; returns their folder."""

    def predict_and_write(path: Path, fractional: bool = False, **changes) -> Path:
        output = DicomFolder(tmp_path / "results", fractional)
        for source in frame_sources(path):
            prediction = replace(pipeline.predict(source.read()), **changes)
            output.write(source.name.stem, source, prediction, pipeline)
        return output.folder

    return predict_and_write


@pytest.fixture(scope="module")
def written(pipeline, draw_disc, write_dicom, tmp_path_factory) -> Written:
    """A photograph and its results, made once."""
    folder = tmp_path_factory.mktemp("written")
    photograph = write_dicom(folder / "scan.dcm", draw_disc())
    source = FrameSource(photograph)
    prediction = pipeline.predict(source.read())
    DicomFolder(folder / "results").write("scan", source, prediction, pipeline)
    return Written(photograph, folder / "results", prediction)


@pytest.fixture
def row_of(pipeline, tmp_path):
    """A function that gives the row of `measurements.csv` for a file."""

    def write_and_tell(path: Path, ids: bool = False) -> dict[str, object]:
        source = FrameSource(path)
        output = DicomFolder(tmp_path / "results", ids=ids)
        facts = output.write("a", source, pipeline.predict(source.read()), pipeline)
        return dict(zip(table_columns(ids), table_row(source.name, facts), strict=True))

    return write_and_tell


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(report: Dataset) -> list[Dataset]:
    """Every content item of a report."""
    items = list(report.get("ContentSequence", []))
    return [*items, *(below for item in items for below in contents(item))]


def named(report: Dataset, meaning: str) -> list[Dataset]:
    items = (item for item in contents(report) if "ConceptNameCodeSequence" in item)
    return [item for item in items if item.ConceptNameCodeSequence[0].CodeMeaning == meaning]


def number(item: Dataset) -> tuple[float, str]:
    value = item.MeasuredValueSequence[0]
    return float(value.NumericValue), value.MeasurementUnitsCodeSequence[0].CodeValue


def test_the_photographs_of_these_tests_are_valid_themselves(photograph, complaints):
    assert complaints(photograph) == []


@pytest.mark.parametrize("fractional", [False, True])
def test_everything_that_is_written_is_valid(photograph, write, complaints, fractional):
    folder = write(photograph, fractional)

    assert files(folder) == ["scan_sc.dcm", "scan_seg.dcm", "scan_sr.dcm"]
    for path in folder.glob("*.dcm"):
        assert complaints(path) == [], path.name


def test_frames_are_valid_and_told_apart(tmp_path, draw_disc, write, write_dicom, complaints):
    frames = np.stack([draw_disc(radius=radius) for radius in (40, 60, 80)])
    clip = write_dicom(tmp_path / "clip.dcm", frames)
    folder = write(clip)

    assert complaints(clip) == []
    for frame in (1, 2, 3):
        for kind in ("seg", "sr", "sc"):
            assert complaints(folder / f"clip_frame{frame}_{kind}.dcm") == []
        mask = dcmread(folder / f"clip_frame{frame}_seg.dcm")
        (reference,) = mask.SourceImageSequence
        assert (reference.ReferencedSOPInstanceUID, reference.ReferencedFrameNumber) == (
            dcmread(clip).SOPInstanceUID,
            frame,
        )
        assert reference.ReferencedSOPClassUID == dcmread(clip).SOPClassUID
        assert mask.InstanceNumber == frame


@pytest.mark.parametrize(
    "left_out",
    [
        ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyDate"),
        (
            "StudyTime",
            "StudyID",
            "ReferringPhysicianName",
            "Laterality",
            "PatientOrientation",
            "Manufacturer",
        ),
        (
            "FrameOfReferenceUID",
            "PositionReferenceIndicator",
            "PixelSpacing",
            "SpecificCharacterSet",
            "ImageType",
        ),
    ],
)
def test_what_a_camera_leaves_out_is_no_obstacle(
    tmp_path, draw_disc, write, write_dicom, complaints, left_out
):
    plain = {"PatientName": "A^B", "InstitutionName": "E", "OperatorsName": "F"} | dict.fromkeys(left_out)
    folder = write(write_dicom(tmp_path / "a", draw_disc(), **plain))

    for path in folder.glob("*.dcm"):
        assert complaints(path) == [], path.name


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 192", "Ærø^Åse"),
        ("ISO_IR 100", "Müller^Jürgen"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_patient_study_and_accession_are_carried_over(
    tmp_path, draw_disc, write, write_dicom, character_set, name
):
    facts = {"SpecificCharacterSet": character_set, "PatientName": name, "ReferringPhysicianName": "A^B"}
    facts |= {"InstitutionName": "C", "OperatorsName": "D"}
    photograph = dcmread(write_dicom(tmp_path / "a.dcm", draw_disc(), **facts))
    folder = write(tmp_path / "a.dcm")

    for path in folder.glob("*.dcm"):
        result = dcmread(path)
        for keyword in ("StudyInstanceUID", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyID"):
            assert result[keyword].value == photograph[keyword].value, (path.name, keyword)
        assert result.PatientName == name
        assert result.SeriesInstanceUID != photograph.SeriesInstanceUID


def test_the_mask_is_the_predictions(written):
    mask = hd.seg.segread(written.results / "scan_seg.dcm")
    assert (mask.pixel_array == written.prediction.mask).all()
    assert mask.SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
    assert mask.ContentDescription == RESEARCH_USE


def test_a_fractional_mask_holds_the_probability(photograph, pipeline, write):
    folder = write(photograph, fractional=True)
    mask = dcmread(folder / "scan_seg.dcm")
    expected = pipeline.lesion_probability(FrameSource(photograph).read())

    assert (mask.SegmentationType, mask.SegmentationFractionalType) == ("FRACTIONAL", "PROBABILITY")
    assert np.abs(mask.pixel_array / mask.MaximumFractionalValue - expected).max() <= 0.5 / 255 + 1e-6


def test_the_report_ranks_the_classes_and_measures_in_millimetres(written):
    report = dcmread(written.results / "scan_sr.dcm")

    area, diameter = (number(named(report, name)[0]) for name in ("Area", "Diameter"))
    assert area == (pytest.approx(written.prediction.mask.sum() * 0.02**2, rel=1e-4), "mm2")
    assert diameter == (pytest.approx(2.4, abs=0.1), "mm")
    ranked = named(report, "Probability of class")
    values = [number(item)[0] for item in ranked]
    assert values == sorted(values, reverse=True) and sum(values) == pytest.approx(1, abs=1e-4)
    first = ranked[0].ContentSequence[0].ConceptCodeSequence[0]
    assert (first.CodeValue, first.CodingSchemeDesignator) == ("372244006", "SCT")
    (most_probable,) = named(report, "Most probable class")
    assert most_probable.ConceptCodeSequence[0].CodeValue == "372244006"
    assert (report.CompletionFlag, report.PreliminaryFlag, report.VerificationFlag) == (
        "COMPLETE",
        "PRELIMINARY",
        "UNVERIFIED",
    )


def test_classes_that_join_diagnoses_get_no_code_of_one_of_them(written):
    report = dcmread(written.results / "scan_sr.dcm")
    codes = [item.ContentSequence[0].ConceptCodeSequence[0] for item in named(report, "Probability of class")]
    schemes = {code.CodeMeaning: code.CodingSchemeDesignator for code in codes}

    assert schemes["vascular lesion"] == schemes["benign keratosis"] == "99LESION"
    assert schemes["Basal cell carcinoma of skin"] == schemes["Melanocytic nevus"] == "SCT"
    assert len(schemes) == 7


def test_the_report_names_the_algorithm_says_what_it_is_for_and_repeats_the_notes(
    photograph, pipeline, write
):
    report = dcmread(write(photograph, notes=("low confidence",)) / "scan_sr.dcm")
    software = software_of(pipeline.bundle)

    assert [item.TextValue for item in named(report, "Comment")] == [RESEARCH_USE, "low confidence"]
    assert [item.TextValue for item in named(report, "Algorithm Name")] == ["Lesion"]
    parameters = [item.TextValue for item in named(report, "Algorithm Parameters")]
    assert parameters == ["bundle=rules", f"models={software.models}"]


def test_the_report_refers_to_mask_and_photograph(written):
    report, mask = dcmread(written.results / "scan_sr.dcm"), dcmread(written.results / "scan_seg.dcm")
    referred = {
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in contents(report)
        if "ReferencedSOPSequence" in item
    }
    assert referred == {mask.SOPInstanceUID, dcmread(written.photograph).SOPInstanceUID}


def test_without_spacing_sizes_are_in_pixels(tmp_path, draw_disc, write, write_dicom):
    folder = write(write_dicom(tmp_path / "a.dcm", draw_disc(), PixelSpacing=None))
    report = dcmread(folder / "a_sr.dcm")
    assert number(named(report, "Diameter")[0]) == (pytest.approx(121, abs=4), "{pixels}")


def test_without_spacing_the_table_tells_pixels_and_with_it_millimetres(
    tmp_path, draw_disc, row_of, photograph, write_dicom
):
    known, unknown = (
        row_of(photograph),
        row_of(write_dicom(tmp_path / "a", draw_disc(), PixelSpacing=None)),
    )
    assert (known["row_spacing_mm"], known["diameter_px"]) == ("0.02", "")
    assert float(known["diameter_mm"]) == pytest.approx(2.4, abs=0.1)
    assert (unknown["row_spacing_mm"], unknown["diameter_mm"]) == ("", "")
    assert float(unknown["diameter_px"]) == pytest.approx(121, abs=4)


def test_pixels_that_are_not_square_are_measured_as_they_lie_on_the_skin(
    tmp_path, draw_disc, row_of, write_dicom
):
    half = np.ascontiguousarray(draw_disc()[::2])  # a disc, with rows twice as far apart
    row = row_of(write_dicom(tmp_path / "a.dcm", half, PixelSpacing=[0.04, 0.02]))

    assert float(row["diameter_mm"]) == pytest.approx(2.4, abs=0.12)
    assert float(row["area_mm2"]) == pytest.approx(np.pi * 1.2**2, rel=0.06)
    assert float(row["asymmetry"]) < 0.05
    assert row["diameter_px"] == ""


def test_without_a_lesion_there_is_a_report_and_no_mask(tmp_path, write, write_dicom, complaints):
    folder = write(write_dicom(tmp_path / "skin.dcm", np.full((300, 400, 3), 230, np.uint8)))

    assert files(folder) == ["skin_sc.dcm", "skin_sr.dcm"]
    report = dcmread(folder / "skin_sr.dcm")
    assert complaints(folder / "skin_sr.dcm") == []
    assert named(report, "Area") == []
    assert len(named(report, "Probability of class")) == 7
    assert "no lesion found: whole image used" in [item.TextValue for item in named(report, "Comment")]


def test_classes_of_ones_own_are_reported_by_their_names(photograph, write):
    probabilities = {"Eigene Klasse, die einen sehr langen Namen hat " * 2: 0.75, "other": 0.25}
    folder = write(photograph, probabilities=probabilities, diagnosis="other", malignant=float("nan"))
    report = dcmread(folder / "scan_sr.dcm")
    codes = [item.ContentSequence[0].ConceptCodeSequence[0] for item in named(report, "Probability of class")]
    assert [(code.CodeValue, code.CodeMeaning[:13]) for code in codes] == [
        ("CLASS1", "Eigene Klasse"),
        ("CLASS2", "other"),
    ]
    assert named(report, "Probability of a malignant class") == []


def test_the_picture_is_the_overlay_and_is_not_predicted_again(written):
    picture = dcmread(written.results / "scan_sc.dcm")

    overlay = draw_overlay(FrameSource(written.photograph).read(), written.prediction)
    pixels, height = picture.pixel_array, len(overlay)
    assert (pixels[:height] == overlay).all()
    assert len(pixels) > height and len(np.unique(pixels[height:])) > 10, "below it stands what it is for"
    assert (picture.ImageComments, picture.BurnedInAnnotation) == (RESEARCH_USE, "YES")
    assert is_photograph(written.photograph) and not is_photograph(written.results / "scan_sc.dcm")
    assert list(frame_sources(written.results)) == []


def test_the_table_names_nobody_unless_it_is_asked_to(photograph, row_of, patient, said_of):
    assert said_of(repr(row_of(photograph)).encode()) == []

    row = row_of(photograph, ids=True)
    assert (row["PatientID"], row["AccessionNumber"]) == (patient["PatientID"], patient["AccessionNumber"])
    assert row["SOPInstanceUID"] == dcmread(photograph).SOPInstanceUID


def test_a_result_that_can_not_be_written_leaves_no_half(photograph, pipeline, tmp_path):
    source = FrameSource(photograph)
    (tmp_path / "results" / "scan_sr.dcm").mkdir(parents=True)
    with pytest.raises(OSError, match="scan_sr"):
        DicomFolder(tmp_path / "results").write("scan", source, pipeline.predict(source.read()), pipeline)
    assert files(tmp_path / "results") == ["scan_seg.dcm", "scan_sr.dcm"]


def test_the_folder_can_be_sent_to_another_process(tmp_path):
    folder = DicomFolder(tmp_path, fractional=True, ids=True)
    assert pickle.loads(pickle.dumps(folder)) == folder


@pytest.mark.parametrize(
    ("keyword", "value", "carried"),
    [
        ("PatientSex", "unknown", ""),
        ("PatientBirthDate", "12.03.1947", ""),
        ("StudyDate", "2026-01-02", ""),
        ("StudyTime", "ten o'clock", ""),
        ("PatientID", "long" * 30, "long" * 30),
        ("PatientName", "a^b^c^d^e^f^g", "a^b^c^d^e^f^g"),
    ],
)
def test_values_that_the_standard_does_not_have_are_left_empty_where_nothing_else_goes(
    tmp_path, draw_disc, write, write_dicom, keyword, value, carried
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config.settings, "_writing_validation_mode", config.IGNORE)
        folder = write(write_dicom(tmp_path / "odd.dcm", draw_disc(), **{keyword: value}))
    for kind in ("seg", "sr", "sc"):
        assert str(dcmread(folder / f"odd_{kind}.dcm").get(keyword) or "") == carried


def test_what_fits_no_result_is_told_without_quoting_it(photograph, pipeline, tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("Rosalinde is no valid name")

    monkeypatch.setattr("pipeline.dicom.folder.structured_report", fail)
    source = FrameSource(photograph)
    with pytest.raises(ImageError, match=r"scan\.dcm: no DICOM results") as caught:
        DicomFolder(tmp_path / "results").write("a", source, pipeline.predict(source.read()), pipeline)
    assert "Rosalinde" not in str(caught.value)
    assert not (tmp_path / "results").exists()
