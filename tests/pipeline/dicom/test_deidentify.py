"""Nothing of the patient survives the de-identification, and the picture does."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import CTImageStorage, JPEG2000Lossless, JPEGBaseline8Bit

from data.images import ImageError
from pipeline.dicom.deidentify import Pseudonyms, deidentify_file
from pipeline.dicom.folder import DicomFolder
from pipeline.dicom.marker_segments import without_comments
from pipeline.dicom.reading import FrameSource


@pytest.fixture
def deidentify(tmp_path):
    """A function (DICOM file) -> the file without its patient."""
    return lambda path: deidentify_file(path, tmp_path / "shared", Pseudonyms())


def item(**facts) -> Dataset:
    dataset = Dataset()
    for keyword, value in facts.items():
        setattr(dataset, keyword, value)
    return dataset


def jpeg(pixels: np.ndarray, **spoken) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **spoken)
    return stream.getvalue()


def test_no_tag_of_the_patient_survives(photograph, deidentify, said_of, patient):
    assert sorted(said_of(photograph.read_bytes())) == sorted(
        part for value in patient.values() for part in value.split("^") if len(part) > 1
    )
    original = dcmread(photograph)
    shared = deidentify(photograph)

    assert said_of(shared.read_bytes()) == []
    uids = {element.value for element in original.iterall() if element.keyword.endswith("InstanceUID")}
    assert uids and not [uid for uid in uids if uid.encode() in shared.read_bytes()]
    assert b"20260102" not in shared.read_bytes(), "nor do dates"


def test_the_picture_and_the_size_of_its_pixels_survive(photograph, deidentify, draw_disc):
    frame = FrameSource(deidentify(photograph)).open()
    assert (frame.pixels == draw_disc()).all()
    assert frame.spacing == (0.02, 0.02)


def test_the_result_is_valid_and_says_what_was_done(photograph, deidentify, complaints):
    shared = deidentify(photograph)
    dataset = dcmread(shared)

    assert complaints(shared) == []
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert shared.name == f"{dataset.SOPInstanceUID}.dcm", "the old name may be the patient's"
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_what_is_nested_private_or_outside_the_dataset_is_cleaned_too(
    tmp_path, draw_disc, write_dicom, deidentify, said_of
):
    inner = item(
        PatientName="Ærøskøbing^Rosalinde", PatientID="PID-774411", InstitutionName="Klinik am Krötenweg"
    )
    path = write_dicom(
        tmp_path / "a.dcm",
        draw_disc(),
        SourceImageSequence=[item(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID="1.2.3.4.5.6")],
        OpticalPathSequence=[item(OpticalPathIdentifier="1", ReferencedPatientSequence=[inner])],
        DerivationImageSequence=[inner],
    )
    dataset = dcmread(path)
    dataset.private_block(0x0011, "Camera maker", create=True).add_new(1, "LO", "Rosalinde")
    dataset.add_new((0x6000, 0x4000), "LT", "overlay of Rosalinde")
    dataset.preamble = b"Rosalinde".ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = "ROOM-17B"
    dataset.save_as(path)

    shared = deidentify(path)
    assert said_of(shared.read_bytes()) == []
    assert b"1.2.3.4.5.6" not in shared.read_bytes()


def test_comments_and_exif_in_the_compressed_stream_are_taken_out(photograph, draw_disc, deidentify):
    exif = Image.Exif()
    exif[0x013B] = "Fotografin Petra"  # the artist
    stream = jpeg(draw_disc(), comment=b"Rosalinde", exif=exif)
    dataset = dcmread(photograph)
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.save_as(photograph)
    before = FrameSource(photograph).read()

    shared = deidentify(photograph)
    assert b"Rosalinde" not in shared.read_bytes() and b"Petra" not in shared.read_bytes()
    assert (FrameSource(shared).read() == before).all()


def test_comments_of_jpeg_2000_are_taken_out(photograph, draw_disc, deidentify):
    pytest.importorskip("openjpeg")
    dataset = dcmread(photograph)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    comment = b"\xff\x64" + (4 + 9).to_bytes(2) + b"\0\1" + b"Rosalinde"
    place = 4 + int.from_bytes(stream[4:6])  # behind SIZ, the first segment
    dataset.PixelData = encapsulate([stream[:place] + comment + stream[place:]])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(photograph)

    shared = deidentify(photograph)
    assert b"Rosalinde" not in shared.read_bytes()
    assert (FrameSource(shared).read() == draw_disc()).all()


def test_a_stream_without_comments_stays_as_it_is(draw_disc):
    stream = jpeg(draw_disc())
    assert without_comments(stream) == stream
    assert without_comments(stream[:50]) == stream[:50]
    assert without_comments(b"RLE or anything") == b"RLE or anything"


@pytest.mark.parametrize("keyword", ["BurnedInAnnotation", "RecognizableVisualFeatures"])
def test_pixels_that_show_who_it_is_are_refused(tmp_path, draw_disc, write_dicom, deidentify, keyword):
    path = write_dicom(tmp_path / "a.dcm", draw_disc(), **{keyword: "YES"})
    with pytest.raises(ImageError, match=rf"its pixels show .* \({keyword} is YES\)"):
        deidentify(path)
    assert not (tmp_path / "shared").exists()


def test_a_name_where_the_profile_does_not_look_is_refused(tmp_path, draw_disc, write_dicom, deidentify):
    path = write_dicom(tmp_path / "a.dcm", draw_disc(), ManufacturerModelName="Dermatoscope of Rosalinde")
    with pytest.raises(ImageError, match="the value of PatientName stands in ManufacturerModelName"):
        deidentify(path)


def test_other_kinds_are_refused(tmp_path, draw_disc, write_dicom, deidentify):
    path = write_dicom(tmp_path / "a.dcm", draw_disc()[:, :, 0].copy(), SOPClassUID=CTImageStorage)
    with pytest.raises(ImageError, match="is of the kind CT Image Storage"):
        deidentify(path)


def test_images_of_one_patient_and_study_stay_together(tmp_path, draw_disc, write_dicom):
    facts = [{"PatientID": "Anna-1", "StudyInstanceUID": "1.2.3"}] * 2 + [{"PatientID": "Berta-2"}]
    pseudonyms = Pseudonyms()
    shared = [
        dcmread(
            deidentify_file(
                write_dicom(tmp_path / f"{number}.dcm", draw_disc(), **fact), tmp_path / "shared", pseudonyms
            )
        )
        for number, fact in enumerate(facts)
    ]
    assert [dataset.PatientID for dataset in shared] == ["P0001", "P0001", "P0002"]
    assert shared[0].StudyInstanceUID == shared[1].StudyInstanceUID != shared[2].StudyInstanceUID


def test_what_was_de_identified_can_be_de_identified_again(photograph, deidentify, said_of):
    again = deidentify(deidentify(photograph))
    assert said_of(again.read_bytes()) == []


def test_a_mask_goes_with_its_photograph(photograph, pipeline, tmp_path, complaints, said_of):
    source = FrameSource(photograph)
    DicomFolder(tmp_path / "results").write("scan", source, pipeline.predict(source.read()), pipeline)
    pseudonyms = Pseudonyms()
    image, mask = (
        deidentify_file(path, tmp_path / "shared", pseudonyms)
        for path in (photograph, tmp_path / "results" / "scan_seg.dcm")
    )

    (reference,) = dcmread(mask).SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == dcmread(image).SOPInstanceUID
    assert dcmread(mask).PatientID == dcmread(image).PatientID
    assert (dcmread(mask).pixel_array == pipeline.predict(source.read()).mask).all()
    assert said_of(mask.read_bytes()) == []
    assert complaints(mask) == []
