"""No lesion and no near-duplicate lies on two sides of a split, and every class is on all of them where it can be."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.datasets.catalog import DatasetError
from data.drawing.dataset import draw_lesion
from data.images import ImageError
from data.near_duplicates import NEAR_DUPLICATE_BITS, near_duplicate_pairs, perceptual_hashes
from data.splits import (
    extend_splits,
    image_groups,
    read_splits,
    split_by_lesion,
    training_parts,
    write_splits,
)

HALF_OF_THE_BITS = NEAR_DUPLICATE_BITS // 2 + 1


def catalog_of(lesions_per_class: dict[str | None, int], images_per_lesion: int = 1) -> pd.DataFrame:
    rows = [
        {"image_id": f"{dx}-{lesion}-{image}", "lesion_id": f"{dx}-{lesion}", "dx": dx}
        for dx, lesions in lesions_per_class.items()
        for lesion in range(lesions)
        for image in range(images_per_lesion)
    ]
    return pd.DataFrame(rows)


def hashes_of(count: int) -> np.ndarray:
    """Hashes of images that have nothing to do with each other: about half of the bits differ."""
    return np.random.default_rng(0).integers(0, 256, (count, 32)).astype(np.uint8)


def with_other_bits(code: np.ndarray, bits: Sequence[int]) -> np.ndarray:
    turned = np.unpackbits(code)
    turned[list(bits)] ^= 1
    return np.packbits(turned)


def sides(splits: pd.DataFrame, images: Sequence[str]) -> set[str]:
    return set(splits.loc[splits["image_id"].isin(images), "split"])


def recompressed(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)


def enlarged(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=1.7, fy=1.7)


def brightened(image: np.ndarray) -> np.ndarray:
    return np.clip(image * 1.2 + 10, 0, 255).astype(np.uint8)


def slightly_cropped(image: np.ndarray) -> np.ndarray:
    return image[1:-1, 2:-1]


COPIES = (recompressed, enlarged, brightened, slightly_cropped)


@pytest.fixture(scope="module")
def tempting_catalog(tmp_path_factory) -> pd.DataFrame:
    """Twelve drawn lesions, each photographed twice, and a changed copy of each under a lesion id of its own."""
    folder = tmp_path_factory.mktemp("tempting")
    rows = []
    for seed in range(12):
        dx = ("nv", "mel", "bcc")[seed % 3]
        photographs = [draw_lesion(seed, dx, (96, 128), photograph=number).image for number in range(2)]
        copy = COPIES[seed % len(COPIES)](photographs[0])
        for name, image, lesion in (
            ("first", photographs[0], f"lesion-{seed}"),
            ("second", photographs[1], f"lesion-{seed}"),
            ("copy", copy, f"another-{seed}"),
        ):
            path = folder / f"{name}-{seed}.png"
            Image.fromarray(image).save(path)
            rows.append({"image_id": path.stem, "image_path": str(path), "lesion_id": lesion, "dx": dx})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def tempting_hashes(tempting_catalog: pd.DataFrame) -> np.ndarray:
    return perceptual_hashes(tempting_catalog["image_path"].tolist())


@pytest.mark.parametrize("seed", range(5))
def test_photographs_of_a_lesion_and_copies_under_other_ids_stay_on_one_side(
    tempting_catalog: pd.DataFrame, tempting_hashes: np.ndarray, seed: int
) -> None:
    splits = split_by_lesion(tempting_catalog, tempting_hashes, seed=seed)
    for lesion in range(12):
        assert len(sides(splits, [f"first-{lesion}", f"second-{lesion}", f"copy-{lesion}"])) == 1


def test_the_copies_would_cross_if_only_lesion_ids_grouped(tempting_catalog: pd.DataFrame) -> None:
    splits = split_by_lesion(tempting_catalog, seed=0)
    assert any(len(sides(splits, [f"first-{lesion}", f"copy-{lesion}"])) == 2 for lesion in range(12))


def test_lesions_that_only_look_alike_are_not_taken_for_copies(
    tempting_catalog: pd.DataFrame, tempting_hashes: np.ndarray
) -> None:
    originals = tempting_catalog["image_id"].str.startswith("first").to_numpy()
    first, second = near_duplicate_pairs(tempting_hashes[originals])
    assert len(first) == len(second) == 0


def test_an_unreadable_image_can_not_be_hashed(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(ImageError, match=r"text\.jpg"):
        perceptual_hashes([str(tmp_path / "text.jpg")])


def test_near_duplicates_are_pairs_within_the_bound() -> None:
    codes = hashes_of(4)
    codes[2] = with_other_bits(codes[0], range(NEAR_DUPLICATE_BITS))
    codes[3] = with_other_bits(codes[1], range(NEAR_DUPLICATE_BITS + 1))
    first, second = near_duplicate_pairs(codes)
    assert list(zip(first, second, strict=True)) == [(0, 2)]


def test_a_chain_of_near_duplicates_is_one_group_though_its_ends_differ() -> None:
    codes = hashes_of(4)
    codes[1] = with_other_bits(codes[0], range(HALF_OF_THE_BITS))
    codes[2] = with_other_bits(codes[1], range(HALF_OF_THE_BITS, 2 * HALF_OF_THE_BITS))
    pairs = zip(*near_duplicate_pairs(codes), strict=True)
    assert (0, 2) not in pairs
    a, b, c, other = image_groups(["a", "b", "c", "other"], codes)
    assert a == b == c != other


def test_near_duplicates_join_all_images_of_both_their_lesions() -> None:
    codes = hashes_of(5)
    codes[2] = with_other_bits(codes[1], [3])
    groups = image_groups(["left", "left", "right", "right", "other"], codes)
    assert len(set(groups[:4])) == 1
    assert groups[4] != groups[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_lesion_of_several_images_is_never_divided(seed: int) -> None:
    catalog = catalog_of({"nv": 30, "mel": 12, "bcc": 9}, images_per_lesion=3)
    splits = split_by_lesion(catalog, seed=seed).merge(catalog, on="image_id")
    assert (splits.groupby("lesion_id")["split"].nunique() == 1).all()


def test_parts_have_the_sizes_and_the_class_shares_that_were_asked_for() -> None:
    catalog = catalog_of({"nv": 140, "mel": 40, "bcc": 20})
    splits = split_by_lesion(catalog, seed=1).merge(catalog, on="image_id")
    assert splits["split"].value_counts().to_dict() == {"train": 140, "validation": 30, "test": 30}
    shares = pd.crosstab(splits["split"], splits["dx"], normalize="index")
    assert shares["nv"].to_numpy() == pytest.approx(0.7, abs=0.04)
    assert shares["bcc"].to_numpy() == pytest.approx(0.1, abs=0.04)


def test_each_part_gets_its_own_fraction() -> None:
    splits = split_by_lesion(catalog_of({"nv": 100}), fractions=(0.5, 0.35, 0.15))
    assert splits["split"].value_counts().to_dict() == {"train": 50, "validation": 35, "test": 15}


@pytest.mark.parametrize("seed", range(8))
def test_a_rare_class_reaches_every_part_from_three_lesions_on(seed: int) -> None:
    catalog = catalog_of({"nv": 100, "mel": 20, "df": 3, "vasc": 4})
    splits = split_by_lesion(catalog, seed=seed).merge(catalog, on="image_id")
    assert (pd.crosstab(splits["dx"], splits["split"]) > 0).all(axis=None)


@pytest.mark.parametrize("seed", range(8))
def test_a_class_of_one_lesion_is_learned_and_not_tested(seed: int) -> None:
    catalog = catalog_of({"nv": 60, "mel": 20, "df": 1})
    assert sides(split_by_lesion(catalog, seed=seed), ["df-0-0"]) == {"train"}


def test_the_seed_alone_decides() -> None:
    catalog = catalog_of({"nv": 40, "mel": 20}, images_per_lesion=2)
    first = split_by_lesion(catalog, seed=3)
    pd.testing.assert_frame_equal(first, split_by_lesion(catalog.copy(), seed=3))
    assert (first["split"] != split_by_lesion(catalog, seed=4)["split"]).any()


def test_images_without_a_diagnosis_are_split_too() -> None:
    splits = split_by_lesion(catalog_of({None: 20}), seed=0)
    assert splits["split"].value_counts().to_dict() == {"train": 14, "validation": 3, "test": 3}


@pytest.mark.parametrize("lesions", [3, 4, 7])
def test_even_few_lesions_fill_three_parts(lesions: int) -> None:
    splits = split_by_lesion(catalog_of({"nv": lesions}, images_per_lesion=2), seed=0)
    assert set(splits["split"]) == {"train", "validation", "test"}


def test_two_lesions_are_too_few_for_three_parts() -> None:
    with pytest.raises(DatasetError, match="too few lesions"):
        split_by_lesion(catalog_of({"nv": 2}, images_per_lesion=9))


def test_a_split_survives_its_file(tmp_path: Path) -> None:
    splits = split_by_lesion(catalog_of({"nv": 10}))
    splits["image_id"] = [f"{number:04}" for number in range(10)]
    write_splits(splits, tmp_path / "splits.csv")
    read = read_splits(tmp_path / "splits.csv")
    pd.testing.assert_frame_equal(
        read[["image_id", "split"]], splits[["image_id", "split"]], check_dtype=False
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("image,part\na,train\n", "lacks the columns image_id and split"),
        ("image_id,split\na,training\n", "splits other than train, validation, test: training"),
        ("image_id,split\na,train\nb,\n", "splits other than train, validation, test: empty"),
        ("image_id,split\na,train\na,test\n", "lists a twice"),
        ("image_id,split\na,train\nA,test\n", "lists A twice"),
        ("image_id,split\na,train\n,test\n", "a row without an image_id"),
        ("", "can't be read as a split: No columns to parse from file;"),
    ],
)
def test_a_file_that_is_no_split_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "splits.csv"
    file.write_text(content)
    with pytest.raises(DatasetError, match=complaint) as refusal:
        read_splits(file)
    assert str(file) in str(refusal.value)


def test_a_missing_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"nowhere\.csv can't be read as a split: No such file or directory;"
    ):
        read_splits(tmp_path / "nowhere.csv")


def test_a_training_gets_the_images_that_the_split_gives_it() -> None:
    catalog = catalog_of({"nv": 4})
    splits = pd.DataFrame(
        {
            "image_id": ["nv-2-0", "nv-0-0", "nv-3-0", "elsewhere"],
            "split": ["train", "validation", "test", "train"],
        }
    )
    parts = training_parts(catalog, splits, "diagnosis")
    assert {name: part["image_id"].tolist() for name, part in parts.items()} == {
        "train": ["nv-2-0"],
        "validation": ["nv-0-0"],
    }
    assert [list(part.columns) for part in parts.values()] == [[*catalog.columns, "split"]] * 2


def test_a_training_without_validation_images_is_refused() -> None:
    splits = pd.DataFrame({"image_id": ["nv-0-0", "nv-1-0"], "split": ["train", "test"]})
    with pytest.raises(DatasetError, match="the validation split has no image with a mask"):
        training_parts(catalog_of({"nv": 2}), splits, "mask")


# Extended over further sources


def test_new_images_are_for_training_unless_they_show_a_held_out_lesion(
    tempting_catalog: pd.DataFrame, tempting_hashes: np.ndarray
) -> None:
    held_out = {"first-0": "test", "first-1": "validation", "first-2": "train"}
    given = pd.DataFrame({"image_id": list(held_out), "split": list(held_out.values())})

    extended = extend_splits(given, tempting_catalog, tempting_hashes).set_index("image_id")["split"]

    assert {name: extended[name] for name in held_out} == held_out
    left_out = {"second-0", "copy-0", "second-1", "copy-1"}  # by the lesion's id, and by looks
    assert set(tempting_catalog["image_id"]) - set(extended.index) == left_out
    assert set(extended.drop(list(held_out))) == {"train"}


def test_a_listed_training_image_that_shows_a_held_out_lesion_is_left_out_too() -> None:
    catalog = pd.DataFrame({"image_id": ["a", "b", "c"], "lesion_id": ["x", "x", "y"]})
    given = pd.DataFrame({"image_id": ["a", "b", "c"], "split": ["test", "train", "train"]})
    extended = extend_splits(given, catalog)
    assert list(extended["image_id"]) == ["a", "c"]
    assert list(extended.columns) == ["image_id", "split", "group"]


def test_a_validation_image_that_shows_a_tested_lesion_is_left_out_too() -> None:
    catalog = pd.DataFrame({"image_id": ["a", "b", "c"], "lesion_id": ["x", "x", "y"]})
    given = pd.DataFrame({"image_id": ["a", "b", "c"], "split": ["test", "validation", "validation"]})
    assert list(extend_splits(given, catalog)["image_id"]) == ["a", "c"]


def test_an_image_may_be_called_what_pandas_takes_for_missing(tmp_path: Path) -> None:
    splits = pd.DataFrame({"image_id": ["NA", "null", "007"], "split": ["train", "validation", "test"]})
    write_splits(splits, tmp_path / "splits.csv")
    assert read_splits(tmp_path / "splits.csv")["image_id"].tolist() == ["NA", "null", "007"]
