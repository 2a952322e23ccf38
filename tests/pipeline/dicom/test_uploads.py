"""A DICOM file that is given to the page becomes pictures with their scale, and leaves the patient behind."""

import numpy as np
import pytest

from data.images import ImageError, read_image
from pipeline.dicom.uploads import MOST_FRAMES, pngs_of_dicom


def test_a_file_becomes_a_picture_with_its_scale(photograph, draw_disc, said_of):
    (upload,) = pngs_of_dicom(photograph.read_bytes(), "scan.dcm")

    assert (upload.name, upload.millimetres_per_pixel) == ("scan.dcm", 0.02)
    assert (read_image(upload.content) == draw_disc()).all()
    assert said_of(upload.content) == []


def test_frames_become_pictures_and_pixels_square(tmp_path, draw_disc, write_dicom):
    half = np.ascontiguousarray(draw_disc()[::2])
    clip = write_dicom(tmp_path / "clip", np.stack([half, half]), PixelSpacing=[0.04, 0.02])
    first, second = pngs_of_dicom(clip.read_bytes(), "clip")

    assert (first.name, second.name) == ("clip frame 1", "clip frame 2")
    assert read_image(first.content).shape == (300, 400, 3)
    assert first.millimetres_per_pixel == 0.02


@pytest.mark.parametrize("frames", [MOST_FRAMES + 1, 0])
def test_more_frames_than_one_looks_at_are_refused(tmp_path, draw_disc, write_dicom, frames):
    path = write_dicom(tmp_path / "clip", np.stack([draw_disc()]), NumberOfFrames=frames or -1)
    with pytest.raises(ImageError, match="clip: says it has"):
        list(pngs_of_dicom(path.read_bytes(), "clip"))


def test_a_damaged_file_is_told_in_a_sentence(photograph):
    with pytest.raises(ImageError, match=r"scan\.dcm: the DICOM"):
        list(pngs_of_dicom(photograph.read_bytes()[:5000], "scan.dcm"))


def test_the_page_takes_dicom_beside_other_files_and_names_what_it_can_not_take(
    photograph, draw_disc, tmp_path, write_dicom, write_image
):
    pytest.importorskip("streamlit")
    from pipeline.app.sources import _pictures  # noqa: PLC0415
    from pipeline.app.visit import Visit  # noqa: PLC0415

    report = write_dicom(tmp_path / "sr.dcm", draw_disc(), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33")
    photo = write_image(tmp_path / "a.png", draw_disc())
    visit = Visit()
    files = [(path.name, path.read_bytes()) for path in (photograph, photo, report)]
    dicom, png = _pictures(files, "", visit)

    assert (dicom.name, png.name) == ("scan.dcm", "a.png")
    assert visit.reading(dicom.key).millimetres_per_pixel == 0.02
    assert visit.reading(png.key).millimetres_per_pixel is None
    (refused,) = visit.refused
    assert "sr.dcm: is a Comprehensive SR Storage and no photograph" in refused.reason
