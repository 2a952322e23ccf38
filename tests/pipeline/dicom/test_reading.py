"""DICOM photographs are read as other photographs are, whatever their pixels look like inside."""

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from pydicom import dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from data.images import ImageError
from pipeline.dicom.reading import FrameSource, frame_sources, frames_of, is_photograph


def read(path: Path) -> np.ndarray:
    return FrameSource(path).read()


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def compressed(path: Path, syntax: str, **options) -> Path:
    dataset = dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False, **options)
    dataset.save_as(path)
    return path


def as_jpeg(path: Path, kind: str = "YBR_FULL_422") -> Path:
    """The file with its pixels as a JPEG stream, as cameras write them."""
    dataset = dcmread(path)
    stream = io.BytesIO()
    Image.fromarray(dataset.pixel_array).save(stream, "JPEG", quality=95)
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    dataset.PhotometricInterpretation = kind
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.save_as(path)
    return path


def test_a_photograph_comes_with_its_name_and_the_size_of_its_pixels(photograph, draw_disc):
    ((name, pixels, spacing),) = frames_of(photograph)

    assert (name, spacing) == (str(photograph), (0.02, 0.02))
    assert pixels.dtype == np.uint8 and (pixels == draw_disc()).all()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless])
def test_compression_without_loss_gives_the_same_pixels(photograph, draw_disc, syntax):
    if syntax == JPEG2000Lossless:
        pytest.importorskip("openjpeg")
    assert (read(compressed(photograph, syntax)) == draw_disc()).all()


def test_a_jpeg_stream_is_read(photograph, draw_disc):
    assert difference(read(as_jpeg(photograph)), draw_disc()) < 2


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_way_of_writing_without_compression_is_read(photograph, draw_disc, syntax):
    dataset = dcmread(photograph)
    dataset.file_meta.TransferSyntaxUID = syntax
    dcmwrite(photograph, dataset, little_endian=syntax.is_little_endian, implicit_vr=syntax.is_implicit_VR)

    assert (read(photograph) == draw_disc()).all()


def test_planes_of_colour_are_put_together(tmp_path, draw_disc, write_dicom):
    planes = np.ascontiguousarray(draw_disc().transpose(2, 0, 1))
    path = write_dicom(tmp_path / "a.dcm", draw_disc(), PlanarConfiguration=1, PixelData=planes.tobytes())
    assert (read(path) == draw_disc()).all()


def test_luminance_and_chrominance_become_rgb(tmp_path, draw_disc, write_dicom):
    ybr = np.asarray(Image.fromarray(draw_disc()).convert("YCbCr"))
    path = write_dicom(tmp_path / "a.dcm", ybr, PhotometricInterpretation="YBR_FULL")
    assert difference(read(path), draw_disc()) < 1.5


def test_a_palette_becomes_rgb(tmp_path, draw_disc, write_dicom):
    indices = (draw_disc()[:, :, 1] < 128).astype(np.uint8)
    tables = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour, low, high in (("Red", 230, 90), ("Green", 231, 30), ("Blue", 232, 31))
        for part, value in (
            ("Descriptor", [2, 0, 16]),
            ("Data", np.array([low * 257, high * 257], "<u2").tobytes()),
        )
    }
    path = write_dicom(tmp_path / "a.dcm", indices, PhotometricInterpretation="PALETTE COLOR", **tables)
    pixels = read(path)
    assert pixels[0, 0].tolist() == [230, 231, 232] and pixels[150, 200].tolist() == [90, 30, 31]


def test_sixteen_bits_are_scaled_by_what_they_can_hold(tmp_path, draw_disc, write_dicom):
    wide = draw_disc().astype(np.uint16) * 257
    assert (read(write_dicom(tmp_path / "a.dcm", wide)) == draw_disc()).all()


@pytest.mark.parametrize(("kind", "skin"), [("MONOCHROME1", 255 - 230), ("MONOCHROME2", 230)])
def test_grey_is_shown_as_a_monitor_would(tmp_path, draw_disc, kind, skin, write_dicom):
    path = write_dicom(tmp_path / "a.dcm", draw_disc()[:, :, 0].copy(), PhotometricInterpretation=kind)
    assert read(path)[0, 0].tolist() == [skin] * 3


def test_grey_goes_through_its_window(tmp_path, draw_disc, write_dicom):
    wide = draw_disc()[:, :, 0].astype(np.uint16) * 4
    path = write_dicom(
        tmp_path / "a.dcm", wide, BitsStored=12, HighBit=11, WindowCenter="512", WindowWidth="1024"
    )
    assert difference(read(path)[:, :, 0], draw_disc()[:, :, 0]) < 1.5


def test_the_profile_brings_colours_to_srgb(tmp_path, draw_disc, write_dicom):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = write_dicom(tmp_path / "same.dcm", draw_disc(), ICCProfile=srgb)
    assert difference(read(same), draw_disc()) < 1

    swapped = write_dicom(tmp_path / "swapped.dcm", draw_disc(), ICCProfile=with_red_and_blue_swapped(srgb))
    assert difference(read(swapped)[:, :, ::-1], draw_disc()) < 3

    damaged = write_dicom(tmp_path / "damaged.dcm", draw_disc(), ICCProfile=srgb[:200])
    assert (read(damaged) == draw_disc()).all()


def with_red_and_blue_swapped(profile: bytes) -> bytes:
    """The profile with the names of its red and blue colorants exchanged."""
    return profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")


def test_every_frame_is_an_image(tmp_path, draw_disc, write_dicom):
    frames = np.stack([draw_disc(radius=radius) for radius in (40, 60, 80)])
    path = write_dicom(tmp_path / "clip.dcm", frames)

    sources = list(frame_sources(path))
    assert [source.name.name for source in sources] == [f"clip_frame{number}.dcm" for number in (1, 2, 3)]
    for source, frame in zip(sources, frames, strict=True):
        assert (source.read() == frame).all()


def test_a_folder_is_searched_by_content_and_holds_more_than_photographs(tmp_path, draw_disc, write_dicom):
    for name in ("IM000001", "1.2.840.5", "deep/er/x.dcm"):
        write_dicom(tmp_path / name, draw_disc())
    write_dicom(tmp_path / "ct.dcm", draw_disc()[:, :, 0].copy(), SOPClassUID=CTImageStorage)
    write_dicom(tmp_path / "ours.dcm", draw_disc(), Manufacturer="Lesion")
    write_dicom(tmp_path / ".hidden.dcm", draw_disc())
    (tmp_path / "readme.txt").write_text("no image")

    names = [str(source.name.relative_to(tmp_path)) for source in frame_sources(tmp_path)]
    assert names == ["1.2.840.5.dcm", "IM000001", "deep/er/x.dcm"]


def test_a_dicomdir_stands_for_the_photographs_that_it_names(tmp_path, draw_disc, write_dicom):
    files = FileSet()
    for name in ("a", "b"):
        files.add(write_dicom(tmp_path / name, draw_disc(), PatientID="one"))
    files.write(tmp_path / "medium")

    sources = list(frame_sources(tmp_path / "medium" / "DICOMDIR"))
    assert len(sources) == 2
    assert all((source.read() == draw_disc()).all() for source in sources)
    assert [source.path for source in frame_sources(tmp_path / "medium")] == [
        source.path for source in sources
    ]


def test_a_dicomdir_names_no_file_outside_its_folder(tmp_path, draw_disc, write_dicom):
    write_dicom(tmp_path / "secret", draw_disc())
    files = FileSet()
    files.add(write_dicom(tmp_path / "a", draw_disc()))
    files.write(tmp_path / "medium")
    index = dcmread(tmp_path / "medium" / "DICOMDIR")
    for record in index.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record.ReferencedFileID = ["..", "secret"]
    index.save_as(tmp_path / "medium" / "DICOMDIR")

    assert list(frame_sources(tmp_path / "medium" / "DICOMDIR")) == []


def test_spacing_is_none_where_the_file_gives_none_that_makes_sense(tmp_path, draw_disc, write_dicom):
    for name, facts in {
        "none": {"PixelSpacing": None},
        "zero": {"PixelSpacing": [0, 0]},
        "huge": {"PixelSpacing": [400, 400]},
    }.items():
        path = write_dicom(tmp_path / name, draw_disc(), **facts)
        assert FrameSource(path).open().spacing is None, name


BROKEN = {
    "no_pixels": ({"PixelData": None}, "pixel data are missing, cut short or damaged"),
    "no_rows": ({"Rows": None}, "Rows or Columns are missing"),
    "more_rows": ({"Rows": 3000}, "pixel data are missing, cut short or damaged"),
    "tiny": ({"Rows": 10}, "too few, each side needs at least 32"),
    "vast": ({"Rows": 60000, "Columns": 60000}, "million that are read"),
    "ct": ({"SOPClassUID": CTImageStorage}, "is a CT Image Storage and no photograph"),
    "kind": ({"PhotometricInterpretation": "ARGB"}, "pixels of the kind ARGB"),
    "no_study": ({"StudyInstanceUID": None}, "has no StudyInstanceUID"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_one_sentence_that_names_it_and_no_patient(tmp_path, draw_disc, name, write_dicom):
    facts, expected = BROKEN[name]
    path = write_dicom(tmp_path / f"{name}.dcm", draw_disc(), **facts)
    with pytest.raises(ImageError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and expected in message and "\n" not in message
    assert "Rosalinde" not in message and "PID" not in message


def test_what_is_no_dicom_file_is_told(tmp_path):
    (tmp_path / "letter.dcm").write_text("a letter" * 100)
    with pytest.raises(ImageError, match=r"letter\.dcm: is no DICOM file"):
        read(tmp_path / "letter.dcm")
    with pytest.raises(ImageError, match=r"gone\.dcm: no such file"):
        read(tmp_path / "gone.dcm")
    assert not is_photograph(tmp_path / "letter.dcm")


@pytest.mark.parametrize("way", ["plain", "jpeg", "lossless"])
def test_damage_anywhere_gives_an_image_or_one_sentence(photograph, tmp_path, way):
    if way == "jpeg":
        as_jpeg(photograph)
    elif way == "lossless":
        compressed(photograph, RLELossless)
    whole, dice = photograph.read_bytes(), random.Random(0)
    broken = tmp_path / "broken.dcm"
    for _ in range(40):
        content = bytearray(whole[: dice.randrange(132, len(whole))] if dice.random() < 0.5 else whole)
        for _ in range(dice.randrange(1, 12)):
            content[dice.randrange(132, min(len(content), 4000))] = dice.randrange(256)
        broken.write_bytes(content)
        try:
            assert read(broken).ndim == 3
        except ImageError as error:
            assert str(error).startswith(str(tmp_path)) and "\n" not in str(error)
