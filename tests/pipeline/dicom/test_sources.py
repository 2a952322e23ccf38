"""DICOM photographs stand among the other images of a folder, and nothing is loaded for them where there are none."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from data.images import ImageError
from pipeline.dicom.reading import FrameSource
from pipeline.dicom.sources import ALL_KINDS, Unreadable
from pipeline.prediction.sources import ImageFile, stream_sources


def names(*paths):
    return [source.name.name for source in stream_sources(paths, None, pytest.fail, ALL_KINDS)]


def test_a_folder_mixes_photographs_of_all_kinds(tmp_path, draw_disc, write_dicom, write_image):
    write_image(tmp_path / "b.png", draw_disc())
    write_dicom(tmp_path / "a", draw_disc())
    write_dicom(tmp_path / "c.dcm", np.stack([draw_disc(), draw_disc()]))
    write_dicom(tmp_path / "report.dcm", draw_disc(), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33")
    (tmp_path / "notes.txt").write_text("no image")

    assert names(tmp_path) == ["a", "b.png", "c_frame1.dcm", "c_frame2.dcm"]
    assert names(tmp_path / "report.dcm") == ["report.dcm"], (
        "what is named is taken, to say what is wrong with it"
    )


def test_the_content_tells_what_is_dicom_and_not_the_suffix(tmp_path, draw_disc, write_dicom, write_image):
    write_dicom(tmp_path / "dicom.jpg", draw_disc())
    write_image(tmp_path / "photo.png", draw_disc()).rename(tmp_path / "photo.dcm")

    sources = [*ALL_KINDS.images(tmp_path / "dicom.jpg"), *ALL_KINDS.images(tmp_path / "photo.dcm")]
    assert [type(source) for source in sources] == [FrameSource, ImageFile]


def test_a_frame_can_be_sent_to_another_process(tmp_path, draw_disc, write_dicom):
    path = write_dicom(tmp_path / "c.dcm", np.stack([draw_disc(radius=40), draw_disc(radius=80)]))
    _, second = pickle.loads(pickle.dumps(list(ALL_KINDS.images(path))))
    assert (second.read() == draw_disc(radius=80)).all()


def test_photographs_alone_load_no_library_of_dicom(tmp_path, draw_disc, write_image):
    photo = write_image(tmp_path / "b.png", draw_disc())
    code = (
        "import sys; from pathlib import Path; from pipeline.dicom.sources import ALL_KINDS; "
        "from pipeline.prediction.sources import stream_sources; "
        f"assert len(list(stream_sources([Path({str(photo.parent)!r})], None, print, ALL_KINDS))) == 1; "
        "print([name for name in ('pydicom', 'highdicom', 'PIL.ImageCms', 'skimage') if name in sys.modules])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"


def test_without_the_extra_a_dicom_file_is_named_with_what_is_missing(photograph):
    code = (
        "import sys; sys.modules['pydicom'] = None; from pathlib import Path; "
        "from pipeline.dicom.sources import ALL_KINDS; "
        f"path = Path({str(photograph)!r}); assert ALL_KINDS.is_image(path); "
        "(source,) = ALL_KINDS.images(path); print(type(source).__name__)"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == Unreadable.__name__
    with pytest.raises(ImageError, match=r"scan\.dcm: is a DICOM file, and what reads them is not installed"):
        Unreadable(photograph).read()
