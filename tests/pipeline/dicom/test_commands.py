"""The `lesion dicom` commands do as their help says, and print nothing of a patient."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipeline.cli import lesion as cli


@pytest.fixture
def lesion():
    """A function that runs the command in this process; the result has exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.mark.usefixtures("photograph")
def test_a_folder_is_written_without_its_patients(lesion, tmp_path, draw_disc, write_dicom, said_of):
    write_dicom(tmp_path / "photographs" / "IM2", draw_disc((30, 90, 30)))
    result = lesion("dicom", "deidentify", tmp_path / "photographs", "--output", tmp_path / "shared")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "2 of 2 files written without their patients\n"
    shared = list((tmp_path / "shared").iterdir())
    assert len(shared) == 2
    assert [said_of(path.read_bytes()) for path in shared] == [[], []]


def test_what_can_not_be_de_identified_is_named_and_the_others_written(
    lesion, photograph, tmp_path, draw_disc, write_dicom
):
    write_dicom(tmp_path / "photographs" / "burned", draw_disc(), BurnedInAnnotation="YES")
    (tmp_path / "photographs" / "copy").write_bytes(photograph.read_bytes())
    result = lesion("dicom", "deidentify", tmp_path / "photographs", "--output", tmp_path / "shared")

    assert result.exit_code == 1
    burned, copy = result.stderr.splitlines()
    assert "burned: its pixels show text" in burned
    assert "scan.dcm: is the same image as one before it" in copy
    assert result.stdout == "1 of 3 files written without their patients\n"


def test_a_folder_without_dicom_files_is_wrong_usage(lesion, tmp_path):
    (tmp_path / "a.txt").write_text("no image")
    result = lesion("dicom", "send", "https://pacs.example/dicom-web", tmp_path)
    assert result.exit_code == 2 and "no DICOM files there" in result.stderr


def test_a_pacs_that_can_not_be_used_is_told_in_a_sentence(lesion, photograph):
    result = lesion("dicom", "send", "http://pacs.example/dicom-web", photograph)
    assert result.exit_code == 2 and "without encryption" in result.stderr


def test_a_missing_library_is_told_with_its_extra(photograph, tmp_path):
    code = (
        "import sys; sys.modules['pydicom'] = None; "
        f"sys.argv = ['lesion', 'dicom', 'deidentify', {str(photograph)!r}, '--output', {str(tmp_path / 'x')!r}]; "
        "from pipeline.cli import main; main()"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert outcome.stderr.strip().endswith("pip install -c constraints.txt '.[dicom]'")


def test_the_help_of_the_command_loads_no_library_of_dicom():
    code = (
        "import sys; from pipeline.cli import lesion, dicom; "
        "print([name for name in ('pydicom', 'highdicom', 'requests') if name in sys.modules])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"
