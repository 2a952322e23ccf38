"""`lesion predict` takes a study as it takes photographs, writes DICOM beside the rest, and names no patient."""

import csv
import json

import numpy as np
import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from pipeline.cli import lesion as cli


@pytest.fixture
def predict(bundle_folder):
    """A function that runs `lesion predict` in this process; the result has exit_code, stdout and stderr."""

    def run(*arguments):
        command = ["predict", *map(str, arguments), "--bundle", str(bundle_folder)]
        return CliRunner().invoke(cli.app, command)

    return run


@pytest.fixture
def study(tmp_path, draw_disc, write_dicom, write_image):
    """A folder with a photograph, a clip of two frames, a broken file, another kind of object, and a drawing."""
    folder = tmp_path / "study"
    write_dicom(folder / "IM1", draw_disc())
    write_dicom(folder / "clip.dcm", np.stack([draw_disc((30, 90, 30)), draw_disc((30, 30, 90))]))
    write_dicom(folder / "broken.dcm", draw_disc(), Rows=3000)
    write_dicom(folder / "report", draw_disc(), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33")
    write_image(folder / "photo.png", draw_disc())
    return folder


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_study_is_predicted_frame_by_frame_beside_photographs(predict, study, tmp_path):
    result = predict(study, "--output", tmp_path / "out")

    assert result.exit_code == 1, "one file is broken"
    (complaint,) = result.stderr.splitlines()
    assert "broken.dcm: the DICOM pixel data are missing, cut short or damaged" in complaint
    named = {
        row["image"].rsplit("/", 1)[-1]: row["diagnosis"] for row in rows(tmp_path / "out/predictions.csv")
    }
    assert named == {"IM1": "mel", "clip_frame1.dcm": "nv", "clip_frame2.dcm": "vasc", "photo.png": "mel"}
    assert sorted(path.name for path in (tmp_path / "out" / "masks").iterdir()) == [
        "IM1.png",
        "clip_frame1.png",
        "clip_frame2.png",
        "photo.png",
    ]


def test_dicom_results_and_a_table_in_millimetres_lie_in_their_folder(predict, study, tmp_path, complaints):
    (study / "broken.dcm").unlink()
    result = predict(study, "--dicom", tmp_path / "dicom")

    assert result.exit_code == 0
    assert "1 image came from no DICOM file" in result.stderr
    written = sorted(path.name for path in (tmp_path / "dicom").glob("*.dcm"))
    assert written == [
        f"{name}_{kind}.dcm" for name in ("IM1", "clip_frame1", "clip_frame2") for kind in ("sc", "seg", "sr")
    ]
    assert [complaints(tmp_path / "dicom" / name) for name in written] == [[]] * 9
    measured = rows(tmp_path / "dicom" / "measurements.csv")
    assert [row["image"].rsplit("/", 1)[-1] for row in measured] == [
        "IM1",
        "clip_frame1.dcm",
        "clip_frame2.dcm",
    ]
    assert [float(row["diameter_mm"]) for row in measured] == [pytest.approx(2.4, abs=0.1)] * 3


def test_no_output_but_the_dicom_files_names_the_patient(predict, study, tmp_path, said_of):
    table = predict(study, "--output", tmp_path / "out", "--dicom", tmp_path / "out" / "dicom")
    document = predict(study, "--json")

    outputs = [table.stdout, table.stderr, document.stdout, document.stderr]
    assert [said_of(text.encode()) for text in outputs] == [[]] * 4
    assert len(json.loads(document.stdout)["images"]) == 5
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix != ".dcm"]
    assert len(files) > 12
    assert {path.name: found for path in files if (found := said_of(path.read_bytes()))} == {}
    names = [path.name for path in (tmp_path / "out").rglob("*")]
    assert said_of("\n".join(names).encode()) == []


def test_ids_are_told_where_they_are_asked_for(predict, study, tmp_path, patient):
    predict(study, "--dicom", tmp_path / "dicom", "--dicom-ids")
    (row, *_) = rows(tmp_path / "dicom" / "measurements.csv")
    assert (row["PatientID"], row["AccessionNumber"]) == (patient["PatientID"], patient["AccessionNumber"])
    assert row["SOPInstanceUID"] == dcmread(study / "IM1").SOPInstanceUID


def test_fractional_masks_are_written_where_they_are_asked_for(predict, study, tmp_path):
    predict(study / "IM1", "--dicom", tmp_path / "dicom", "--dicom-fractional")
    assert dcmread(tmp_path / "dicom" / "IM1_seg.dcm").SegmentationType == "FRACTIONAL"


def test_what_was_written_is_not_predicted_again(predict, study):
    (study / "broken.dcm").unlink()
    predict(study, "--dicom", study / "results")
    result = predict(study, "--json")
    assert len(json.loads(result.stdout)["images"]) == 4


@pytest.mark.parametrize("option", ["--dicom-ids", "--dicom-fractional"])
def test_options_of_dicom_need_its_folder(predict, study, option):
    result = predict(study, option)
    assert result.exit_code == 2 and "--dicom DIR" in result.output
