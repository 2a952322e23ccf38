"""Datasets are recognised in the forms in which publishers ship them and users keep them."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.datasets.catalog import CATALOG_COLUMNS, DatasetError, DatasetWarning, load_dataset, load_datasets
from data.drawing.dataset import draw_lesion

SHARED = Path(__file__).parents[4] / "shared" / "datasets"

HAM10000_CSV = """lesion_id,image_id,dx,dx_type,age,sex,localization
HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp
HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp
HAM_0002730,ISIC_0026769,NV,follow_up,,unknown,unknown
"""
HAM10000_IDS = ["ISIC_0025030", "ISIC_0026769", "ISIC_0027419"]

PH2_TXT = """
|| Name    || Histological Diagnosis   || Clinical Diagnosis || Asymmetry ||
|| IMD003  ||                          ||      0             ||     0     ||
|| IMD009  || Compound nevus           ||      1             ||     0     ||
|| IMD058  || Melanoma                 ||      2             ||     2     ||

Legends:
 Clinical Diagnosis:
  0 - Common Nevus; 1 - Atypical Nevus; 2 - Melanoma.
"""


def draw(root: Path, *names: str, value: int = 90) -> None:
    """Write an image, all of one grey, under each of the names."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (40, 32), value).save(path)


def write(root: Path, name: str, text: str, encoding: str = "utf-8") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)


def by_id(catalog: pd.DataFrame, column: str) -> dict[str, object]:
    return dict(zip(catalog["image_id"], catalog[column], strict=True))


def names(catalog: pd.DataFrame, column: str, root: Path) -> list[str | None]:
    return [path and Path(path).relative_to(root).as_posix() for path in catalog[column]]


# HAM10000


def test_ham10000_as_dataverse_ships_it(tmp_path: Path) -> None:
    draw(tmp_path, "HAM10000_images_part_1/ISIC_0025030.jpg", "HAM10000_images_part_1/ISIC_0026769.jpg")
    draw(tmp_path, "HAM10000_images_part_2/ISIC_0027419.jpg")
    folder = "HAM10000_segmentations_lesion_tschandl"
    draw(tmp_path, *(f"{folder}/{image_id}_segmentation.png" for image_id in HAM10000_IDS))
    write(tmp_path, "HAM10000_metadata", HAM10000_CSV)

    catalog = load_dataset(tmp_path)

    assert tuple(catalog.columns) == CATALOG_COLUMNS
    assert list(catalog["image_id"]) == HAM10000_IDS
    assert list(catalog["dx"]) == ["bkl", "nv", "bkl"]
    assert list(catalog["lesion_id"]) == ["HAM_0000118", "HAM_0002730", "HAM_0000118"]
    assert names(catalog, "image_path", tmp_path)[2] == "HAM10000_images_part_2/ISIC_0027419.jpg"
    assert names(catalog, "mask_path", tmp_path)[2] == f"{folder}/ISIC_0027419_segmentation.png"


def test_what_a_dataset_does_not_know_is_missing(tmp_path: Path) -> None:
    draw(tmp_path, "images/ISIC_0026769.jpg")
    write(tmp_path, "HAM10000_metadata.csv", HAM10000_CSV)
    (image,) = load_dataset(tmp_path).to_dict("records")
    assert np.isnan(image["age"])
    assert [image[column] for column in ("sex", "localization", "mask_path")] == [None, None, None]


@pytest.mark.parametrize(
    ("metadata", "separator"),
    [
        ("HAM10000_metadata", "\t"),
        ("HAM10000_metadata.tab", "\t"),
        ("HAM10000_metadata.csv", ";"),
        ("ham10000_metadata.CSV", ","),
        ("archive/HAM10000_metadata (1).csv", ","),
    ],
)
def test_ham10000_as_users_have_it(tmp_path: Path, metadata: str, separator: str) -> None:
    draw(tmp_path, "HAM10000_images_part_1/HAM10000_images_part_1/isic_0025030.JPG")
    draw(tmp_path, "ham10000_images_part_2/HAM10000_images_part_2/ISIC_0027419.jpg")
    draw(tmp_path, "masks/masks/ISIC_0025030_Segmentation.PNG")
    write(tmp_path, metadata, HAM10000_CSV.replace(",", separator), encoding="utf-8-sig")
    write(tmp_path, "__MACOSX/._ISIC_0026769.jpg", "resource fork")
    write(tmp_path, "HAM10000_images_part_1/._ISIC_0026769.jpg", "resource fork")
    write(tmp_path, "hmnist_28_28_L.csv", "pixel0000,pixel0001,label\n1,2,3\n")

    catalog = load_dataset(tmp_path)

    assert by_id(catalog, "dx") == {"ISIC_0025030": "bkl", "ISIC_0027419": "bkl"}
    assert list(catalog["lesion_id"]) == ["HAM_0000118", "HAM_0000118"]
    assert names(catalog, "mask_path", tmp_path) == ["masks/masks/ISIC_0025030_Segmentation.PNG", None]


def test_images_that_kaggle_ships_twice_count_once(tmp_path: Path) -> None:
    draw(tmp_path, "HAM10000_images_part_1/ISIC_0025030.jpg", "ham10000_images_part_1/ISIC_0025030.jpg")
    write(tmp_path, "HAM10000_metadata.csv", HAM10000_CSV)
    assert list(load_dataset(tmp_path)["image_id"]) == ["ISIC_0025030"]


def test_the_dataset_may_lie_deeper_than_the_path(tmp_path: Path) -> None:
    draw(tmp_path, "download/dataverse_files/images/ISIC_0025030.jpg")
    write(tmp_path, "download/dataverse_files/HAM10000_metadata.csv", HAM10000_CSV)
    assert list(load_dataset(tmp_path)["lesion_id"]) == ["HAM_0000118"]


# ISIC segmentation


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        (
            "ISBI2016_ISIC_Part1_Training_Data/ISIC_0000000.jpg",
            "ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_0000000_Segmentation.png",
        ),
        (
            "ISIC-2017_Training_Data/ISIC_0000000.jpg",
            "ISIC-2017_Training_Part1_GroundTruth/ISIC_0000000_segmentation.png",
        ),
        (
            "ISIC2018_Task1-2_Training_Input/ISIC_0000000.jpg",
            "ISIC2018_Task1_Training_GroundTruth/ISIC_0000000_segmentation.png",
        ),
        ("images/ISIC_0000000.jpg", "masks/ISIC_0000000_segmentation.png"),
        ("images/ISIC_0000000.jpg", "masks/ISIC_0000000.png"),
        ("segmentation/images/ISIC_0000000.jpg", "segmentation/masks/ISIC_0000000.png"),
        ("ISIC_0000000.jpg", "ISIC_0000000_mask.png"),
    ],
)
def test_segmentation_sets_pair_each_image_with_its_mask(tmp_path: Path, image: str, mask: str) -> None:
    draw(tmp_path, image, mask)
    catalog = load_dataset(tmp_path)
    assert list(catalog["image_id"]) == ["ISIC_0000000"]
    assert names(catalog, "image_path", tmp_path) == [image]
    assert names(catalog, "mask_path", tmp_path) == [mask]
    assert list(catalog["dx"]) == [None]
    assert list(catalog["lesion_id"]) == ["ISIC_0000000"]


def test_superpixels_and_attributes_are_neither_images_nor_masks(tmp_path: Path) -> None:
    draw(
        tmp_path,
        "ISIC-2017_Training_Data/ISIC_0000000.jpg",
        "ISIC-2017_Training_Data/ISIC_0000000_superpixels.png",
        "ISIC-2017_Training_Part1_GroundTruth/ISIC_0000000_segmentation.png",
        "ISIC2018_Task2_Training_GroundTruth_v3/ISIC_0000000_attribute_globules.png",
    )
    write(
        tmp_path,
        "ISIC-2017_Training_Data/ISIC-2017_Training_Data_metadata.csv",
        "image_id,age_approximate,sex\nISIC_0000000,55,female\n",
    )
    (image,) = load_dataset(tmp_path).to_dict("records")
    assert image["mask_path"].endswith("ISIC_0000000_segmentation.png")
    assert (image["age"], image["sex"]) == (55.0, "female")


# ISIC classification


def test_isic_2018_task_3_joins_classes_and_lesions(tmp_path: Path) -> None:
    draw(tmp_path, "ISIC2018_Task3_Training_Input/ISIC_0024306.jpg")
    draw(tmp_path, "ISIC2018_Task3_Training_Input/ISIC_0024310.jpg")
    write(
        tmp_path,
        "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv",
        "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n"
        "ISIC_0024306,0.0,1.0,0.0,0.0,0.0,0.0,0.0\n"
        "ISIC_0024310,1.0,0.0,0.0,0.0,0.0,0.0,0.0\n",
    )
    write(
        tmp_path,
        "ISIC2018_Task3_Training_LesionGroupings.csv",
        "image,lesion_id,diagnosis_confirm_type\nISIC_0024310,HAM_0003521,histopathology\n",
    )
    catalog = load_dataset(tmp_path)
    assert list(catalog["dx"]) == ["nv", "mel"]
    assert list(catalog["lesion_id"]) == ["ISIC_0024306", "HAM_0003521"]
    assert list(catalog["dx_type"]) == [None, "histopathology"]


def test_isic_2019_has_its_own_classes_and_unk_is_unknown(tmp_path: Path) -> None:
    codes = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
    draw(tmp_path, *(f"ISIC_2019_Training_Input/ISIC_2019_Training_Input/{code}.jpg" for code in codes))
    lines = [",".join([code, *("1.0" if code == other else "0.0" for other in codes)]) for code in codes]
    write(tmp_path, "ISIC_2019_Training_GroundTruth.csv", "\n".join([",".join(["image", *codes]), *lines]))
    write(
        tmp_path,
        "ISIC_2019_Training_Metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex\nSCC,70,head/neck,BCN_1,male\n",
    )
    catalog = load_dataset(tmp_path)
    expected = {code: code.lower() for code in codes} | {"UNK": "unknown"}
    assert by_id(catalog, "dx") == expected
    scc = catalog.set_index("image_id").loc["SCC"]
    assert [scc["age"], scc["localization"], scc["lesion_id"]] == [70.0, "head/neck", "BCN_1"]


def test_a_one_hot_row_without_a_class_has_no_diagnosis(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    write(tmp_path, "truth.csv", "image,MEL,NV\na,1,0\nb,0,0\nc,1,1\n")
    with pytest.warns(DatasetWarning, match="row without exactly one class: .*b: 0 ones and 1 more"):
        assert list(load_dataset(tmp_path)["dx"]) == ["mel", None, None]


def test_predicted_probabilities_are_not_taken_for_labels(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "b.jpg")
    write(tmp_path, "task3.csv", "image,MEL,NV\na,0.7,0.3\nb,1.0,0.0\n")
    with pytest.raises(DatasetError, match="no dataset of a known layout"):
        load_dataset(tmp_path)


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no images; give the folder with the images"):
        load_dataset(tmp_path)


def test_isic_2017_part_3_calls_the_rest_naevus(tmp_path: Path) -> None:
    draw(tmp_path, "ISIC-2017_Test_v2_Data/a.jpg", "ISIC-2017_Test_v2_Data/b.jpg")
    draw(tmp_path, "ISIC-2017_Test_v2_Data/c.jpg")
    write(
        tmp_path,
        "ISIC-2017_Test_v2_Part3_GroundTruth.csv",
        "image_id,melanoma,seborrheic_keratosis\na,1.0,0.0\nb,0.0,1.0\nc,0.0,0.0\n",
    )
    assert list(load_dataset(tmp_path)["dx"]) == ["mel", "bkl", "nv"]


# PH2


def test_ph2_with_its_table_and_nested_folders(tmp_path: Path) -> None:
    for image_id in ("IMD003", "IMD009", "IMD058"):
        folder = f"PH2Dataset/PH2 Dataset images/{image_id}"
        draw(tmp_path, f"{folder}/{image_id}_Dermoscopic_Image/{image_id}.bmp")
        draw(tmp_path, f"{folder}/{image_id}_lesion/{image_id}_lesion.bmp")
        draw(tmp_path, f"{folder}/{image_id}_roi/{image_id}_R1_Label4.bmp")
    write(tmp_path, "PH2Dataset/PH2_dataset.txt", PH2_TXT)
    catalog = load_dataset(tmp_path)
    assert by_id(catalog, "dx") == {"IMD003": "nv", "IMD009": "nv", "IMD058": "mel"}
    assert all(path.endswith("_lesion.bmp") for path in catalog["mask_path"])


# Images and a csv


def test_images_and_a_csv(tmp_path: Path) -> None:
    draw(tmp_path, "images/a.png", "images/b.jpeg", "gt/b_by_hand.png")
    write(
        tmp_path,
        "diagnoses.csv",
        "Image,DX,sex,mask\nimages/a.png,Melanoma,female,\nb,actinic keratosis,,gt/b_by_hand.png\n",
    )
    catalog = load_dataset(tmp_path)
    assert by_id(catalog, "dx") == {"a": "mel", "b": "ak"}
    assert list(catalog["sex"]) == ["female", None]
    assert names(catalog, "mask_path", tmp_path) == [None, "gt/b_by_hand.png"]


def test_numbers_stay_the_ids_they_are(tmp_path: Path) -> None:
    draw(tmp_path, "images/007.jpg")
    write(tmp_path, "labels.csv", "image,dx\n007,nv\n")
    assert list(load_dataset(tmp_path)["image_id"]) == ["007"]


def test_the_same_name_in_two_folders_is_two_images(tmp_path: Path) -> None:
    draw(tmp_path, "images/left/1.jpg", "images/right/1.jpg")
    write(tmp_path, "labels.csv", "image,dx\nleft/1.jpg,nv\nright/1.jpg,mel\n")
    catalog = load_dataset(tmp_path)
    assert by_id(catalog, "dx") == {"left/1": "nv", "right/1": "mel"}
    assert names(catalog, "image_path", tmp_path) == ["images/left/1.jpg", "images/right/1.jpg"]


def test_a_label_of_the_users_own_is_kept(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    write(tmp_path, "labels.csv", "image,dx\na,Spitz\n")
    assert list(load_dataset(tmp_path)["dx"]) == ["spitz"]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("MEL", "mel"),
        ("Basal-Cell Carcinoma", "bcc"),
        ("basal_cell_carcinoma", "bcc"),
        ("melanocytic Nevi", "nv"),
        ("naevus", "nv"),
        ("vascular lesions", "vasc"),
        ("Seborrheic keratosis", "bkl"),
        ("actinic keratosis", "ak"),
        ("Squamous cell carcinoma", "scc"),
        ("UNK", "unknown"),
        ("benign", "benign"),
    ],
)
def test_codes_and_names_become_codes(tmp_path: Path, label: str, code: str) -> None:
    draw(tmp_path, "a.jpg")
    write(tmp_path, "labels.csv", f"image,dx\na,{label}\n")
    assert list(load_dataset(tmp_path)["dx"]) == [code]


def test_rows_without_a_file_are_left_out_and_files_without_a_row_are_unlabelled(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "extra.jpg")
    write(tmp_path, "labels.csv", "image,dx\na,nv\ngone,mel\n")
    assert by_id(load_dataset(tmp_path), "dx") == {"a": "nv", "extra": None}


def test_a_repeated_id_counts_once(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    write(tmp_path, "labels.csv", "image,dx\na,nv\nA.jpg,nevus\n")
    assert by_id(load_dataset(tmp_path), "dx") == {"a": "nv"}


# One folder a class


def test_one_folder_a_class(tmp_path: Path) -> None:
    draw(tmp_path, "train/malignant/1.jpg", "train/benign/1.jpg", "test/benign/2.jpg", "test/unknown/3.jpg")
    assert by_id(load_dataset(tmp_path), "dx") == {
        "train/malignant/1": "malignant",
        "train/benign/1": "benign",
        "2": "benign",
        "3": "unknown",
    }


def test_class_folders_may_be_codes_names_or_the_users_own(tmp_path: Path) -> None:
    draw(
        tmp_path, "MEL/a.jpg", "Basal cell carcinoma/patient 7/b.jpg", "vascular_lesion/c.jpg", "spitz/d.jpg"
    )
    draw(tmp_path, "masks/a.png", "title.jpg")
    catalog = load_dataset(tmp_path)
    assert by_id(catalog, "dx") == {"a": "mel", "b": "bcc", "c": "vasc", "d": "spitz", "title": None}
    assert names(catalog, "mask_path", tmp_path) == ["masks/a.png", None, None, None, None]


# What can't be used


def test_a_folder_that_fits_nothing_gets_told_what_was_looked_for(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}: ")
    for sought in ("HAM10000_metadata.csv", "PH2_dataset.txt", "MEL, NV", "malignant", "masks/"):
        assert sought in message


def test_a_csv_without_any_of_its_images_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "HAM10000_metadata.csv", HAM10000_CSV)
    with pytest.raises(DatasetError, match=r"none of the 3 images listed .* has a file; unpack"):
        load_dataset(tmp_path)


def test_a_path_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "labels.csv", "image,dx\n")
    with pytest.raises(DatasetError, match="give the folder that holds it"):
        load_dataset(tmp_path / "labels.csv")
    with pytest.raises(DatasetError, match="check the path"):
        load_dataset(tmp_path / "nowhere")


def test_a_broken_csv_is_named(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    write(tmp_path, "labels.csv", 'image,dx\na,"nv\nb,mel\n')
    with pytest.raises(DatasetError, match=r"labels\.csv: the table can't be read"):
        load_dataset(tmp_path)


# Several datasets


def test_an_image_in_two_datasets_is_one_row_with_what_both_know(tmp_path: Path) -> None:
    draw(tmp_path, "ham/images/ISIC_0025030.png", "task1/images/ISIC_0025030.png", "task1/images/other.png")
    draw(tmp_path, "task1/masks/ISIC_0025030.png", "task1/masks/other.png")
    write(tmp_path, "ham/HAM10000_metadata.csv", HAM10000_CSV)

    catalog = load_datasets([tmp_path / "task1", tmp_path / "ham"])

    assert list(catalog["image_id"]) == ["ISIC_0025030", "other"]
    assert list(catalog["dx"]) == ["bkl", None]
    assert list(catalog["lesion_id"]) == ["HAM_0000118", "other"]
    assert names(catalog, "mask_path", tmp_path) == ["task1/masks/ISIC_0025030.png", "task1/masks/other.png"]


def test_one_id_for_two_different_images_is_an_error(tmp_path: Path) -> None:
    draw(tmp_path, "one/nv/1.bmp", "two/nv/1.bmp")
    for seed, name in enumerate(("one", "two")):
        noise = np.random.default_rng(seed).integers(0, 256, (32, 40), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / name / "nv" / "1.bmp")
    os.utime(tmp_path / "one/nv/1.bmp", (0, 0))
    os.utime(tmp_path / "two/nv/1.bmp", (0, 0))
    with pytest.raises(DatasetError, match=r"another image than .* yet both have the id 1; rename"):
        load_datasets([tmp_path / "one", tmp_path / "two"])


def test_of_copies_in_several_sizes_the_largest_counts(tmp_path: Path) -> None:
    photograph = draw_lesion(3, "mel", (96, 128)).image
    for folder, size in (("small", (64, 48)), ("large", (256, 192)), ("middle", (128, 96))):
        (tmp_path / folder / "mel").mkdir(parents=True)
        Image.fromarray(photograph).resize(size).save(tmp_path / folder / "mel" / "1.png")

    catalog = load_datasets([tmp_path / name for name in ("small", "large", "middle")])

    assert names(catalog, "image_path", tmp_path) == ["large/mel/1.png"]


def test_a_dataset_given_twice_counts_once(tmp_path: Path) -> None:
    draw(tmp_path, "nv/1.png", "mel/2.png")
    pd.testing.assert_frame_equal(load_datasets([tmp_path, tmp_path]), load_dataset(tmp_path))


@pytest.mark.skipif(not SHARED.exists(), reason="needs the development datasets")
def test_the_real_sets_are_whole() -> None:
    ham10000 = load_dataset(SHARED / "ham10000")
    assert ham10000["dx"].value_counts().to_dict() == {
        "nv": 6705,
        "mel": 1113,
        "bkl": 1099,
        "bcc": 514,
        "akiec": 327,
        "vasc": 142,
        "df": 115,
    }
    assert ham10000["lesion_id"].nunique() == 7470
    assert ham10000["mask_path"].notna().all()
    assert load_dataset(SHARED / "isic2018_task1")["mask_path"].notna().sum() == 2065


def test_files_among_which_the_first_is_taken_are_warned_of_where_they_differ(tmp_path: Path) -> None:
    draw(tmp_path, "x/1.png", "y/1.png")
    write(tmp_path, "table.csv", "image,dx\n1.png,mel\n")
    load_dataset(tmp_path)
    Image.effect_noise((40, 32), 60).save(tmp_path / "y" / "1.png")
    with pytest.warns(DatasetWarning, match=r"several files that differ: 1: x/1.png, y/1.png"):
        assert len(load_dataset(tmp_path)) == 1


def test_a_folder_that_cant_be_listed_is_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path, "images/a.png", "more/b.png")
    write(tmp_path, "table.csv", "image,dx\na,mel\nb,nv\n")
    refuse_listing(tmp_path / "more", monkeypatch)
    with pytest.raises(DatasetError, match=r"more: can't be listed; change its permissions"):
        load_dataset(tmp_path)


def refuse_listing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user without permission, which the tests may have in any folder."""
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_name_that_is_not_utf_8_is_refused_by_the_name(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", os.fsdecode(b"n\xe4vus.png"))
    (tmp_path / "labels.csv").write_text("image,dx\na,mel\n")
    with pytest.raises(DatasetError, match=r"n\\udce4vus\.png: this name is not UTF-8; rename it"):
        load_dataset(tmp_path)
