import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.images import read_image
from pipeline.bundle.loading import BundleError, load_bundle
from pipeline.prediction.naming import FileNames
from pipeline.prediction.outputs import check_isic_classes, table_columns
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.results import ResultSettings, ResultsFolder
from pipeline.prediction.sources import ImageFile
from pipeline.prediction.work import Task, predict_here
from pipeline.reports.pictures import CONTOUR_COLOUR

CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@dataclass(frozen=True)
class Drawn:
    """A source that is read from memory."""

    name: Path
    pixels: np.ndarray

    def read(self):
        return self.pixels


def write_all(pipeline, images, folder, isic=False):
    """Predict images {source: pixels} and write them; return the names that their files got."""
    names = FileNames()
    tasks = [Task(Drawn(Path(source), image), names.choose(Path(source))) for source, image in images.items()]
    with ResultsFolder.open(folder, pipeline.bundle, ResultSettings(isic=isic)) as results:
        for result in predict_here(pipeline, results.pictures, tasks):
            results.add(result)
    return [task.files for task in tasks]


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_row_an_image_and_the_columns_as_documented(pipeline, draw_disc, tmp_path):
    write_all(pipeline, {"photos/a.jpg": draw_disc((90, 30, 30)), "b.png": draw_disc((30, 30, 90))}, tmp_path)

    header = (tmp_path / "predictions.csv").read_text().splitlines()[0]
    assert header == (
        "image,diagnosis,confidence,malignant,akiec,bcc,bkl,df,mel,nv,vasc,x0,y0,x1,y1,lesion_fraction,view,notes"
    )
    first, second = read_csv(tmp_path / "predictions.csv")
    assert (first["image"], first["diagnosis"], first["view"], first["notes"]) == (
        "photos/a.jpg",
        "mel",
        "crop",
        "",
    )
    assert (second["image"], second["diagnosis"]) == ("b.png", "vasc")
    assert sum(float(first[name]) for name in CLASSES) == pytest.approx(1, abs=1e-5)
    assert first["confidence"] == first["mel"]


def test_the_box_in_the_table_is_the_crop_on_the_disk(pipeline, draw_disc, tmp_path):
    image = draw_disc()
    write_all(pipeline, {"a.jpg": image}, tmp_path)

    x0, y0, x1, y1 = (
        int(read_csv(tmp_path / "predictions.csv")[0][name]) for name in ("x0", "y0", "x1", "y1")
    )
    written = read_image(tmp_path / "crops" / "a.jpg").astype(int)
    assert np.abs(written - image[y0:y1, x0:x1]).mean() < 3


def test_masks_have_the_size_of_the_image_and_two_values(pipeline, draw_disc, tmp_path):
    image = draw_disc(size=(300, 400))
    write_all(pipeline, {"a.jpg": image}, tmp_path)

    mask = cv2.imread(str(tmp_path / "masks" / "a.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (300, 400)
    assert set(np.unique(mask)) == {0, 255}
    assert ((mask > 0) == pipeline.predict(image).mask).all()


def test_an_image_file_is_read_for_its_pictures(pipeline, draw_disc, write_image, tmp_path):
    path = write_image(tmp_path / "photos" / "a.png", draw_disc())
    with ResultsFolder.open(tmp_path / "results", pipeline.bundle, ResultSettings()) as results:
        assert len(list(predict_here(pipeline, results.pictures, [Task(ImageFile(path), "a")]))) == 1

    crop = read_image(tmp_path / "results" / "crops" / "a.jpg")
    box = pipeline.predict(path).box
    assert np.abs(crop.astype(int) - draw_disc()[box.y0 : box.y1, box.x0 : box.x1]).mean() < 3


def test_without_a_lesion_box_and_crop_are_left_out(pipeline, tmp_path):
    write_all(pipeline, {"skin.jpg": np.full((100, 120, 3), 230, np.uint8)}, tmp_path)

    (row,) = read_csv(tmp_path / "predictions.csv")
    assert (row["x0"], row["y1"], row["lesion_fraction"], row["view"]) == ("", "", "0.000000", "full")
    assert row["notes"] == "no lesion found: whole image used; low confidence"
    assert not (tmp_path / "crops").exists()
    assert (tmp_path / "overlays" / "skin.jpg").exists()


def test_images_of_the_same_name_do_not_overwrite_each_other(pipeline, draw_disc, tmp_path):
    images = {
        "a/1.jpg": draw_disc(radius=40),
        "b/1.jpg": draw_disc(radius=80),
        "b/1.png": draw_disc(radius=60),
    }
    names = write_all(pipeline, images, tmp_path, isic=True)

    assert len(list((tmp_path / "masks").iterdir())) == 3
    for name, image in zip(names, images.values(), strict=True):
        mask = cv2.imread(str(tmp_path / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        assert ((mask > 0) == pipeline.predict(image).mask).all()
    assert [row["image"] for row in read_csv(tmp_path / "task3.csv")] == names


def test_a_taken_name_is_told_apart_by_the_folder_and_then_by_a_number():
    names = FileNames()
    sources = ["a/1.jpg", "b/1.jpg", "c/b/1.jpg", "b/1.png", "../B/1.JPG", "/b/1.bmp", "2.jpg"]

    assert [names.choose(Path(source)) for source in sources] == [
        "1",
        "b_1",
        "c_b_1",
        "1_2",
        "1_3",
        "1_4",
        "2",
    ]


def test_the_challenge_formats_are_as_its_scorer_reads_them(pipeline, draw_disc, tmp_path):
    write_all(pipeline, {"ISIC_0024306.jpg": draw_disc((30, 90, 30))}, tmp_path, isic=True)

    mask = cv2.imread(str(tmp_path / "task1" / "ISIC_0024306_segmentation.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (300, 400) and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255}
    header, row = (line.split(",") for line in (tmp_path / "task3.csv").read_text().splitlines())
    assert header == ["image", "MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"]
    assert row[0] == "ISIC_0024306"
    assert header[1 + int(np.argmax([float(value) for value in row[1:]]))] == "NV"
    probabilities = pipeline.predict(draw_disc((30, 90, 30))).probabilities
    assert [float(value) for value in row[1:]] == [probabilities[name.lower()] for name in header[1:]]


def test_the_challenge_formats_need_the_challenge_classes(make_bundle, tmp_path):
    own_classes = load_bundle(make_bundle(tmp_path / "bundle", classes=["scc", *CLASSES[1:]]))
    with pytest.raises(BundleError, match=r"without a column in the ISIC 2018 challenge \(scc\)"):
        check_isic_classes(own_classes)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_what_is_done_and_nothing_half_written(
    pipeline, draw_disc, tmp_path, interruption
):
    tasks = [Task(Drawn(Path(f"{name}.jpg"), draw_disc()), name) for name in "abcdefgh"]
    with (
        pytest.raises(interruption),
        ResultsFolder.open(tmp_path, pipeline.bundle, ResultSettings(isic=True)) as results,
    ):
        for number, result in enumerate(predict_here(pipeline, results.pictures, tasks)):
            results.add(result)
            if number == 2:
                raise interruption

    assert [row["image"] for row in read_csv(tmp_path / "predictions.csv")] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [row["image"] for row in read_csv(tmp_path / "task3.csv")] == ["a", "b", "c"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if path.name.startswith(".")]
    assert all(read_image(path, min_side=1).size for path in files if path.suffix not in {".csv", ".json"})


def test_a_picture_that_can_not_be_written_is_an_error(pipeline, draw_disc, tmp_path):
    (tmp_path / "masks").write_text("in the way")
    with pytest.raises(OSError, match="masks"):
        write_all(pipeline, {"a.jpg": draw_disc()}, tmp_path)
    assert read_csv(tmp_path / "predictions.csv") == [], "no row before its pictures"


@pytest.mark.parametrize("size", [(40, 40), (450, 600), (600, 200), (2000, 3000)])
def test_an_overlay_is_readable_at_every_size(pipeline, draw_disc, size):
    centre, radius = (size[1] // 2, size[0] // 2), min(size) // 4
    image = draw_disc(size=size, centre=centre, radius=radius)
    overlay = draw_overlay(image, pipeline.predict(image))

    assert 500 <= overlay.shape[1] <= 1600
    assert overlay.shape[0] / overlay.shape[1] > size[0] / size[1], "the label stands below the image"
    scale = overlay.shape[1] / size[1]
    right_edge = overlay[round(centre[1] * scale), round((centre[0] + radius) * scale) + np.arange(-30, 30)]
    assert np.abs(right_edge.astype(int) - CONTOUR_COLOUR).sum(axis=1).min() < 60


def test_an_overlay_leaves_the_image_alone(pipeline, draw_disc):
    image = draw_disc(size=(450, 600))
    draw_overlay(image, pipeline.predict(image))
    assert (image == draw_disc(size=(450, 600))).all()


def test_no_column_comes_twice_whatever_the_classes_are_called():
    groups = table_columns(("benign", "malignant", "unknown"))
    assert groups.count("malignant") == 1
    own = table_columns(("view", "scar"))
    assert (len(set(own)), own.count("class view")) == (len(own), 1)
