"""Drawn lesions: repeatable, with an exact mask, and told apart by rules that can be measured."""

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from data.datasets.catalog import DatasetError, load_dataset
from data.datasets.diagnoses import HAM10000_CLASSES
from data.drawing.dataset import DrawnLesion, draw_lesion, synthesize_dataset

SIZE = (96, 128)
EXAMPLES = Path(__file__).parents[3] / "data" / "examples"


def drawings(dx: str, count: int = 12) -> list[DrawnLesion]:
    return [draw_lesion(seed, dx, SIZE, artefacts=False) for seed in range(count)]


def median_over(lesions: list[DrawnLesion], measure: Callable[[DrawnLesion], float]) -> float:
    return float(np.median([measure(lesion) for lesion in lesions]))


def lesion_lab(lesion: DrawnLesion) -> np.ndarray:
    """CIELAB of the lesion's pixels less the skin's mean, so that the light's tint does not count."""
    lab = cv2.cvtColor(lesion.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return lab[lesion.mask] - lab[~lesion.mask].mean(axis=0)


def variety_of_colours(lesion: DrawnLesion) -> float:
    return float(np.linalg.norm(lesion_lab(lesion).std(axis=0)))


def asymmetry(lesion: DrawnLesion) -> float:
    """Share of the lesion that a half turn about its centre does not bring back onto it."""
    moments = cv2.moments(lesion.mask.astype(np.uint8), binaryImage=True)
    centre = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    half_turn = cv2.getRotationMatrix2D(centre, 180, 1.0)
    turned = cv2.warpAffine(lesion.mask.astype(np.uint8), half_turn, SIZE[::-1]) > 0
    return 1 - (lesion.mask & turned).sum() / lesion.mask.sum()


def test_the_same_seed_draws_the_same_image_and_another_seed_another():
    first, again, other = (draw_lesion(seed, "nv", SIZE) for seed in (4, 4, 5))

    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert (first.image != other.image).mean() > 0.5
    assert (first.mask != other.mask).any()


@pytest.mark.parametrize("size", [(64, 64), (96, 128), (300, 200)])
def test_image_and_mask_have_the_size_asked_for(size):
    lesion = draw_lesion(0, "mel", size)

    assert lesion.image.shape == (*size, 3)
    assert lesion.image.dtype == np.uint8
    assert lesion.mask.shape == size
    assert lesion.mask.dtype == bool


@pytest.mark.parametrize("dx", HAM10000_CLASSES)
def test_the_mask_is_one_region_mostly_inside_the_frame(dx):
    for lesion in drawings(dx, count=8):
        mask = lesion.mask.astype(np.uint8)
        areas = cv2.connectedComponentsWithStats(mask)[2][1:, cv2.CC_STAT_AREA]
        frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert areas.max() > 0.97 * mask.sum()
        assert 0.02 < mask.mean() < 0.75
        assert frame.mean() < 0.35


@pytest.mark.parametrize("dx", HAM10000_CLASSES)
def test_the_mask_ends_where_the_colour_turns_from_the_lesions_to_the_skins(dx):
    lesion = draw_lesion(3, dx, SIZE, artefacts=False)
    mask = lesion.mask.astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    within = lesion.mask & ~cv2.erode(mask, disc).astype(bool)
    beyond = ~lesion.mask & cv2.dilate(mask, disc).astype(bool)
    skin = ~cv2.dilate(mask, disc, iterations=3).astype(bool)
    inside, outside, far = (lesion.image[region].mean(axis=0) for region in (within, beyond, skin))

    assert np.linalg.norm(inside - far) > 1.5 * np.linalg.norm(outside - far)


def test_hair_and_marks_change_the_image_but_not_the_mask():
    pairs = [
        (draw_lesion(seed, "bkl", SIZE), draw_lesion(seed, "bkl", SIZE, artefacts=False)) for seed in range(6)
    ]

    for with_artefacts, without in pairs:
        np.testing.assert_array_equal(with_artefacts.mask, without.mask)
    assert sum((one.image != two.image).any() for one, two in pairs) >= 5


def test_another_photograph_shows_the_same_lesion_at_another_angle():
    first, second = (draw_lesion(8, "nv", SIZE, photograph=number) for number in (0, 1))
    centred = [cv2.moments(lesion.mask.astype(np.uint8), binaryImage=True) for lesion in (first, second)]

    assert (first.image != second.image).mean() > 0.5
    assert (first.mask != second.mask).any()
    np.testing.assert_allclose(*(cv2.HuMoments(moments)[0] for moments in centred), rtol=0.05)


def test_vascular_lesions_are_redder_than_naevi():
    vascular, naevi = drawings("vasc"), drawings("nv")

    def redness(lesion: DrawnLesion) -> float:
        return float(lesion_lab(lesion)[:, 1].mean())

    assert median_over(vascular, redness) > median_over(naevi, redness) + 6


def test_melanomas_are_less_symmetric_and_more_colourful_than_naevi():
    melanomas, naevi = drawings("mel"), drawings("nv")

    assert median_over(melanomas, asymmetry) > 1.5 * median_over(naevi, asymmetry)
    assert median_over(melanomas, variety_of_colours) > 1.5 * median_over(naevi, variety_of_colours)


def test_dermatofibromas_are_palest_in_the_centre():
    def centre_less_rim(lesion: DrawnLesion) -> float:
        lightness = cv2.cvtColor(lesion.image, cv2.COLOR_RGB2GRAY).astype(float)
        depth = cv2.distanceTransform(lesion.mask.astype(np.uint8), cv2.DIST_L2, 5)
        inner = depth > 0.75 * depth.max()
        rim = lesion.mask & (depth < 0.5 * depth.max())
        return lightness[inner].mean() - lightness[rim].mean()

    assert median_over(drawings("df"), centre_less_rim) > 15
    assert median_over(drawings("nv"), centre_less_rim) < 0


def test_keratoses_end_more_sharply_than_dermatofibromas():
    def contrast_across_the_outline(lesion: DrawnLesion) -> float:
        mask = lesion.mask.astype(np.uint8)
        within = lesion.mask & ~cv2.erode(mask, np.ones((3, 3))).astype(bool)
        beyond = ~lesion.mask & cv2.dilate(mask, np.ones((3, 3))).astype(bool)
        return float(np.abs(lesion.image[within].mean(axis=0) - lesion.image[beyond].mean(axis=0)).sum())

    assert median_over(drawings("bkl"), contrast_across_the_outline) > 2 * median_over(
        drawings("df"), contrast_across_the_outline
    )


def test_only_the_seven_classes_and_usable_sizes_can_be_drawn():
    with pytest.raises(ValueError, match="no lesion of class 'wart'"):
        draw_lesion(0, "wart", SIZE)
    with pytest.raises(ValueError, match="32x32 pixels is too small"):
        draw_lesion(0, "nv", (32, 32))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "set"
    synthesize_dataset(folder, count=14, seed=2, size=SIZE)
    return folder


def metadata(folder: Path) -> list[dict[str, str]]:
    with (folder / "HAM10000_metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_ham10000s_columns_and_a_row_an_image(dataset):
    rows = metadata(dataset)

    assert list(rows[0]) == ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]
    assert [row["image_id"] for row in rows] == [f"drawn_{number:07d}" for number in range(1, 15)]
    assert sorted(path.stem for path in (dataset / "images").iterdir()) == [row["image_id"] for row in rows]


def test_masks_are_0_and_255_in_the_size_of_their_image(dataset):
    for row in metadata(dataset):
        mask = np.asarray(Image.open(dataset / "masks" / f"{row['image_id']}_segmentation.png"))
        assert set(np.unique(mask)) == {0, 255}
        assert mask.shape == SIZE == Image.open(dataset / "images" / f"{row['image_id']}.jpg").size[::-1]


def test_images_of_a_lesion_share_its_diagnosis_and_its_person(dataset):
    rows = metadata(dataset)
    lesions = {row["lesion_id"] for row in rows}
    facts = {(row["lesion_id"], row["dx"], row["age"], row["sex"], row["localization"]) for row in rows}
    files = {(dataset / "images" / f"{row['image_id']}.jpg").read_bytes() for row in rows}

    assert len(lesions) < len(rows)
    assert len(facts) == len(lesions)
    assert len(files) == len(rows)


@pytest.mark.parametrize(("count", "classes"), [(1, 1), (5, 5), (7, 7), (8, 7)])
def test_all_classes_appear_as_soon_as_the_count_allows(tmp_path, count, classes):
    synthesize_dataset(tmp_path / "set", count, seed=0, size=(64, 64))

    assert len(metadata(tmp_path / "set")) == count
    assert len({row["dx"] for row in metadata(tmp_path / "set")}) == classes


def test_the_same_seed_writes_the_same_dataset(tmp_path):
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        synthesize_dataset(tmp_path / name, count=3, seed=seed, size=(64, 64))
    contents = {
        name: {path.name: path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "two", "three")
    }

    assert contents["one"] == contents["two"]
    assert contents["one"] != contents["three"]


def test_progress_counts_the_images_written(tmp_path):
    counts: list[int] = []

    synthesize_dataset(
        tmp_path / "set", count=3, seed=0, size=(64, 64), progress=lambda done, _: counts.append(done)
    )

    assert counts == [1, 2, 3]


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(DatasetError, match="is not an empty folder"):
        synthesize_dataset(tmp_path, count=1, seed=0, size=(64, 64))
    with pytest.raises(DatasetError, match="is not an empty folder"):
        synthesize_dataset(tmp_path / "notes.txt", count=1, seed=0, size=(64, 64))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_dataset_cut_short_leaves_nothing_behind(tmp_path):
    def interrupt(*_: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize_dataset(tmp_path / "set", count=3, seed=0, size=(64, 64), progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_request_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="a dataset of 0 images"):
        synthesize_dataset(tmp_path / "set", count=0, seed=0)


def test_the_examples_are_a_dataset_of_all_classes_with_lesions_photographed_twice():
    catalog = load_dataset(EXAMPLES)

    assert len(catalog) == 12
    assert set(catalog["dx"]) == set(HAM10000_CLASSES)
    assert catalog["mask_path"].notna().all()
    assert catalog["lesion_id"].nunique() < 12


def test_images_that_are_too_small_to_draw_in_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="40 x 600 pixels are too small to draw in"):
        synthesize_dataset(tmp_path / "drawn", count=1, seed=0, size=(40, 600))
    assert not (tmp_path / "drawn").exists()
