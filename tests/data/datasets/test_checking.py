"""A dataset's check counts what is there and names everything that is wrong."""

import json
from pathlib import Path

import pytest
from PIL import Image

from data.datasets.checking import DatasetCheck, Problem, check_dataset

METADATA = "lesion_id,image_id,dx\n"


def draw(path: Path, size: tuple[int, int] = (48, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).save(path)


def draw_mask(path: Path, size: tuple[int, int] = (48, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = Image.new("L", size)
    mask.paste(255, (12, 10, 36, 30))
    mask.save(path)


def make_dataset(root: Path, rows: str, images: str = "a b c", masks: str = "a b c") -> Path:
    """A dataset in HAM10000's form, of images and masks with these ids."""
    for image_id in images.split():
        draw(root / "images" / f"{image_id}.png")
    for image_id in masks.split():
        draw_mask(root / "masks" / f"{image_id}_segmentation.png")
    (root / "HAM10000_metadata.csv").write_text(METADATA + rows)
    return root


def problems(check: DatasetCheck) -> dict[str, Problem]:
    return {problem.kind: problem for problem in check.problems}


def test_a_sound_dataset_is_counted_and_has_no_problems(tmp_path: Path) -> None:
    check = check_dataset(make_dataset(tmp_path, "L1,a,mel\nL1,b,mel\nL2,c,nv\n"))
    assert check.layout == "HAM10000"
    assert (check.images, check.masks, check.labels, check.lesions) == (3, 3, 3, 2)
    assert [(row.code, row.images, row.lesions) for row in check.classes] == [("mel", 2, 1), ("nv", 1, 1)]
    assert check.problems == ()
    assert "no problems" in check.to_text()
    assert "no lesion is named" not in check.to_text()


def test_without_lesions_it_says_that_each_image_counts_as_one(tmp_path: Path) -> None:
    check = check_dataset(make_dataset(tmp_path, ",a,mel\n,b,mel\n,c,nv\n"))
    assert check.lesions == 3
    assert "no lesion is named: each image counts as one" in check.to_text()


@pytest.mark.parametrize(
    ("rows", "images", "masks", "kind", "example"),
    [
        ("L1,a,nv\nL2,gone,nv\n", "a", "a", "listed image without a file", "gone"),
        ("L1,a,nv\n", "a extra", "a extra", "file without a row", "images/extra.png"),
        ("L1,a,nv\nL2,b,\n", "a b", "a b", "missing label", "b"),
        ("L1,a,nv\nL2,b,Spitz\n", "a b", "a b", "unknown label", "spitz (1 images)"),
        (
            "L1,a,nv\nL2,b,Malignat\n",
            "a b",
            "a b",
            "unknown label",
            "malignat (1 images; is malignant meant?)",
        ),
        ("L1,a,nv\nL1,a,nv\n", "a", "a", "duplicate id", "a"),
        ("L1,a,nv\nL1,b,mel\n", "a b", "a b", "conflicting diagnosis inside one lesion", "L1: mel, nv"),
        ("L1,a,nv\nL2,b,nv\n", "a b", "a", "image without a mask", "images/b.png"),
        ("L1,a,nv\n", "a", "a gone", "mask without an image", "masks/gone_segmentation.png"),
    ],
)
def test_each_problem_of_names_and_tables_is_found_alone(
    tmp_path: Path, rows: str, images: str, masks: str, kind: str, example: str
) -> None:
    check = check_dataset(make_dataset(tmp_path, rows, images, masks))
    (problem,) = check.problems
    assert (problem.kind, problem.count) == (kind, 1)
    assert problem.examples[0].endswith(example)
    assert problem.mend


def test_a_second_file_of_an_image_is_a_duplicate(tmp_path: Path) -> None:
    make_dataset(tmp_path, "L1,a,nv\n", "a", "a")
    draw(tmp_path / "part_2" / "a.jpg")
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind == "duplicate file"
    assert problem.examples == (str(tmp_path / "part_2" / "a.jpg"),)


def test_files_are_read_to_find_broken_ones(tmp_path: Path) -> None:
    make_dataset(tmp_path, "L1,a,nv\nL2,b,nv\nL3,c,nv\n")
    whole = (tmp_path / "images" / "a.png").read_bytes()
    (tmp_path / "images" / "a.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "masks" / "b_segmentation.png").write_text("no mask")
    draw_mask(tmp_path / "masks" / "c_segmentation.png", size=(40, 48))

    found = problems(check_dataset(tmp_path))

    assert set(found) == {"unreadable image", "unreadable mask", "mask of another size than its image"}
    assert "a.png: the PNG data are cut short" in found["unreadable image"].examples[0]
    assert "b_segmentation.png: is not a JPEG" in found["unreadable mask"].examples[0]
    assert found["mask of another size than its image"].examples == (
        f"{tmp_path / 'masks' / 'c_segmentation.png'}: 40 x 48 pixels, its image 48 x 40",
    )


def test_a_set_without_labels_or_masks_is_not_blamed_for_it(tmp_path: Path) -> None:
    draw(tmp_path / "only_masks" / "images" / "a.png")
    draw_mask(tmp_path / "only_masks" / "masks" / "a.png")
    draw(tmp_path / "only_labels" / "nv" / "a.png")
    assert check_dataset(tmp_path / "only_masks").problems == ()
    assert check_dataset(tmp_path / "only_labels").problems == ()


def test_a_dataset_without_any_of_its_images_is_still_checked(tmp_path: Path) -> None:
    check = check_dataset(make_dataset(tmp_path, "L1,a,nv\nL2,b,nv\n", images="", masks=""))
    assert check.images == 0
    assert problems(check)["listed image without a file"].count == 2


def test_all_are_counted_and_five_are_shown(tmp_path: Path) -> None:
    rows = "L,a,nv\n" + "".join(f"L{number},gone{number},nv\n" for number in range(7))
    check = check_dataset(make_dataset(tmp_path, rows, "a", "a"))
    assert check.problems[0].count == 7
    assert len(check.problems[0].examples) == 5
    assert "listed image without a file: 7" in check.to_text()


def test_the_check_is_json(tmp_path: Path) -> None:
    check = check_dataset(make_dataset(tmp_path, "L1,a,nv\nL1,b,mel\n"))
    restored = json.loads(json.dumps(check.to_dict()))
    assert restored["images"] == 3
    assert restored["classes"][0]["code"] == "mel"
    assert {problem["kind"] for problem in restored["problems"]} == {
        "file without a row",
        "conflicting diagnosis inside one lesion",
    }


def test_progress_is_told_after_each_image(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    make_dataset(tmp_path, "L1,a,nv\n")
    check_dataset(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_masks_are_decoded_and_the_doubtful_ones_named_by_their_kind(tmp_path: Path) -> None:
    kinds = {
        "a": "empty mask",
        "b": "mask that covers the whole image",
        "c": "mask that is not black and white",
        "d": "mask that looks inverted",
        "e": "unreadable mask",
    }
    make_dataset(
        tmp_path, "".join(f"L{name},{name},nv\n" for name in kinds), " ".join(kinds), " ".join(kinds)
    )
    paths = {name: tmp_path / "masks" / f"{name}_segmentation.png" for name in kinds}
    Image.new("L", (48, 40), 0).save(paths["a"])
    Image.new("L", (48, 40), 255).save(paths["b"])
    Image.linear_gradient("L").resize((48, 40)).save(paths["c"])
    Image.eval(Image.open(paths["d"]), lambda value: 255 - value).save(paths["d"])
    flipped = bytearray(paths["e"].read_bytes())
    flipped[-25] ^= 1
    paths["e"].write_bytes(flipped)

    found = problems(check_dataset(tmp_path))

    assert set(found) == set(kinds.values())
    for name, kind in kinds.items():
        assert found[kind].count == 1
        assert str(paths[name]) in found[kind].examples[0]


@pytest.mark.parametrize(
    ("name", "content", "kind", "place"),
    [
        ("more.csv", "", "table that is not used", "more.csv: is empty"),
        ("more.csv", "image,dx\n", "table that is not used", "more.csv: has a header and no rows"),
        ("more.csv", "one column\na\n", "table that is not used", "names fewer than two columns"),
        ("more.csv", "picture no,dx\na,nv\n", "table that is not used", "names no column of images"),
        ("more.csv", "image,quality\na,good\n", "table that is not used", "has no column that is used"),
        ("task3.csv", "image,MEL,NV\na,.7,.3\n", "table that is not used", "predictions and no labels"),
        ("more.csv", "image,dx\na,mel\n", "contradicting diagnoses of an image", "a: nv, mel"),
        ("more.csv", "image,lesion\na,L9\n", "contradicting lesions of an image", "a: L1, L9"),
    ],
)
def test_a_second_table_is_named_where_it_is_not_used_or_contradicts(
    tmp_path: Path, name: str, content: str, kind: str, place: str
) -> None:
    make_dataset(tmp_path, "L1,a,nv\nL2,b,nv\nL3,c,nv\n")
    (tmp_path / name).write_text(content)
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind == kind
    assert place in problem.examples[0]


def test_an_image_without_a_lesions_id_is_named_where_others_have_one(tmp_path: Path) -> None:
    make_dataset(tmp_path, "L1,a,nv\n,b,nv\nL3,c,nv\n")
    (problem,) = check_dataset(tmp_path).problems
    assert (problem.kind, problem.examples) == ("image without a lesion's id", ("b",))


@pytest.mark.parametrize("cell", ["", "0.5", "x"])
def test_a_bad_cell_of_a_class_is_named_with_its_image_and_column(tmp_path: Path, cell: str) -> None:
    for name in "abcd":
        draw(tmp_path / f"{name}.png")
    (tmp_path / "truth.csv").write_text(f"image,MEL,NV\na,1,0\nb,0,1\nc,0,{cell}\nd,0,1\n")
    found = problems(check_dataset(tmp_path))
    assert found["cell that is neither 0 nor 1"].examples[0].startswith(f"{tmp_path / 'truth.csv'}: c: NV is")


def test_one_file_under_two_names_is_one_image_and_its_diagnoses_contradict(tmp_path: Path) -> None:
    check = check_dataset(make_dataset(tmp_path, "L1,a,nv\nL2,images/a.png,mel\nL3,b,nv\nL4,c,nv\n"))
    assert check.images == 3
    assert "contradicting diagnoses of an image" in problems(check)


def test_lesions_in_other_letters_are_the_same_lesion(tmp_path: Path) -> None:
    check = check_dataset(make_dataset(tmp_path, "Lesion1,a,nv\nLESION1,b,nv\nL2,c,nv\n"))
    assert check.lesions == 2


def test_a_second_column_of_diagnoses_that_says_otherwise_is_named(tmp_path: Path) -> None:
    make_dataset(tmp_path, "")
    table = tmp_path / "HAM10000_metadata.csv"
    table.write_text("image_id,dx,diagnosis,class\na,mel,melanoma,malignant\nb,nv,melanoma,1\nc,nv,,benign\n")
    (problem,) = check_dataset(tmp_path).problems
    assert problem.kind == "column that contradicts the one that is used"
    assert problem.examples == (f"{table}: b: nv, in diagnosis melanoma",)


def test_a_folder_that_says_otherwise_than_the_table_is_named(tmp_path: Path) -> None:
    for name in ("benign/a.png", "malignant/b.png", "nevus/c.png"):
        draw(tmp_path / name)
    (tmp_path / "table.csv").write_text("image,dx\na,mel\nb,bcc\nc,nv\n")
    found = problems(check_dataset(tmp_path))
    assert found["folder that contradicts the table"].examples == (f"{tmp_path / 'benign' / 'a.png'}: mel",)


def test_pictures_of_other_formats_are_named_and_a_spreadsheet_where_nothing_is_labelled(
    tmp_path: Path,
) -> None:
    draw(tmp_path / "images" / "a.jfif")
    draw_mask(tmp_path / "masks" / "a_mask.png")
    (tmp_path / "images" / "b.HEIC").touch()
    (tmp_path / "labels.xlsx").touch()
    check = check_dataset(tmp_path)
    assert (check.images, check.masks) == (1, 1)
    assert set(problems(check)) == {"picture in a format that is not read", "table that is not used"}
