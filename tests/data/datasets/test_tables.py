"""Tables are read as spreadsheets, people and publishers write them; what can't be read is refused by name."""

import os
from pathlib import Path

import pytest
from PIL import Image

from data.datasets.catalog import DatasetError, DatasetWarning, load_dataset


def draw(root: Path, *names: str) -> None:
    for name in names:
        Image.new("L", (40, 32), 90).save(root / name)


def diagnoses(root: Path) -> dict[str, str | None]:
    catalog = load_dataset(root)
    return dict(zip(catalog["image_id"], catalog["dx"], strict=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    draw(tmp_path, "a.png", "b.png")
    text = "image,dx,remark\r\na,mel,\xfcber 60\r\nb,nv,none at all, \r\n".replace(", \r", "\r")
    (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
    assert diagnoses(tmp_path) == {"a": "mel", "b": "nv"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("above", ["", "sep={}\n", "\n\n", "# exported on Monday\n", "{}{}\n"])
def test_every_usual_separator_and_what_stands_above_the_header(
    tmp_path: Path, separator: str, above: str
) -> None:
    draw(tmp_path, "a.png")
    content = above.replace("{}", separator) + f"image{separator}dx\na{separator}mel\n"
    (tmp_path / "labels.csv").write_text(content)
    assert diagnoses(tmp_path) == {"a": "mel"}


@pytest.mark.parametrize("images", ["image", "file", "filename", "isic_id", "image_path"])
@pytest.mark.parametrize("labels", ["dx", "label", "diagnosis", "class"])
def test_columns_go_by_several_names(tmp_path: Path, images: str, labels: str) -> None:
    draw(tmp_path, "a.png")
    (tmp_path / "labels.csv").write_text(f"{images},{labels}\na.png,Melanoma\n")
    assert diagnoses(tmp_path) == {"a": "mel"}


@pytest.mark.parametrize(("one", "zero"), [("1", "0"), ("1.0", "0.0"), ("True", "False"), ("TRUE", "FALSE")])
def test_one_and_zero_may_be_written_as_numbers_or_words(tmp_path: Path, one: str, zero: str) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "truth.csv").write_text(f"image,MEL,NV\na,{one},{zero}\nb,{zero},{one}\n")
    assert diagnoses(tmp_path) == {"a": "mel", "b": "nv"}


@pytest.mark.parametrize("cell", ["", "0.5", "2", "yes"])
def test_labels_with_a_bad_cell_are_refused_by_its_name(tmp_path: Path, cell: str) -> None:
    draw(tmp_path, "a.png", "b.png", "c.png")
    (tmp_path / "truth.csv").write_text(f"image,MEL,NV\na,1,0\nb,0,{cell}\nc,0,1\n")
    with pytest.raises(DatasetError, match=r"truth\.csv: b: NV is .*; write 0 or 1"):
        load_dataset(tmp_path)


def test_a_name_of_several_lines_makes_no_sentence_of_several_lines(tmp_path: Path) -> None:
    draw(tmp_path, "a.png")
    (tmp_path / "truth.csv").write_text('image,MEL,NV\na,1,0\n"b\nc\x1b[31m",0,\n')
    with pytest.raises(DatasetError, match=r"truth\.csv: b\\nc\\x1b\[31m: NV is empty"):
        load_dataset(tmp_path)


def test_tables_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "first.csv").write_text("image,dx\na,mel\nb,nv\n")
    (tmp_path / "second.csv").write_text("image,dx\nA.png,nevus\nb,nv\n")
    with pytest.raises(DatasetError, match="contradicting diagnoses of an image: a: mel, nv"):
        load_dataset(tmp_path)


def test_a_table_beside_that_contradicts_the_layouts_labels_is_refused(tmp_path: Path) -> None:
    draw(tmp_path, "a.png")
    (tmp_path / "HAM10000_metadata.csv").write_text("lesion_id,image_id,dx\nL1,a,mel\n")
    (tmp_path / "mine.csv").write_text("image,dx\na,nv\n")
    with pytest.raises(DatasetError, match="a: mel, nv"):
        load_dataset(tmp_path)


def test_a_table_that_is_not_used_is_warned_of(tmp_path: Path) -> None:
    draw(tmp_path, "a.png")
    (tmp_path / "labels.csv").write_text("image,dx\na,mel\n")
    (tmp_path / "late.csv").write_text("image,dx\n")
    with pytest.warns(DatasetWarning, match=r"table that is not used: .*late\.csv: has a header and no rows"):
        load_dataset(tmp_path)


def test_a_folder_without_labels_says_why_its_table_gives_none(tmp_path: Path) -> None:
    draw(tmp_path, "a.png")
    (tmp_path / "labels.csv").write_text("number,dx\na,mel\n")
    with pytest.raises(DatasetError, match=r"labels\.csv names no column of images"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("image,dx,dx\na,mel,nv\n", "has the column dx twice"),
        ("image,dx\na,mel,nv\n", "more cells than the header"),
        ('image,dx\na,"mel\nb,nv\n', "can't be read"),
        ('image,dx\na,"mel"x\n', "can't be read"),
    ],
)
def test_a_table_by_which_rows_would_be_lost_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(DatasetError, match=reason):
        load_dataset(tmp_path)


def test_cells_may_hold_quoted_separators_and_lines(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text('"image","dx","remark"\na,mel,"one, two\nthree"\nb,nv,\n')
    assert diagnoses(tmp_path) == {"a": "mel", "b": "nv"}


def test_columns_without_a_name_as_spreadsheets_leave_them_are_left_out(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("image,dx,,\na,mel,,x\nb,nv,,\n")
    assert diagnoses(tmp_path) == {"a": "mel", "b": "nv"}


def test_a_name_that_is_too_long_for_a_file_is_no_mask(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text(f"image,dx,mask\na,mel,{'x' * 300}\nb,nv,\n")
    assert load_dataset(tmp_path)["mask_path"].isna().all()


@pytest.mark.parametrize("name", ["", "nan"])
def test_a_row_without_an_image_is_warned_of(tmp_path: Path, name: str) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text(f"image,dx\na,mel\n{name},nv\n")
    with pytest.warns(DatasetWarning, match=r"row without an image: .*labels\.csv: nv; name its image"):
        assert diagnoses(tmp_path) == {"a": "mel", "b": None}


@pytest.mark.parametrize("table", ["image,dx\n,mel\n", "image_id,melanoma,seborrheic_keratosis\nnan,0,1\n"])
def test_a_table_that_names_no_image_is_no_dataset(tmp_path: Path, table: str) -> None:
    draw(tmp_path, "a.png")
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(DatasetError, match="no dataset of a known layout"):
        load_dataset(tmp_path)


def test_a_missing_lesion_is_warned_of(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("image,dx,lesion_id\na,mel,L1\nb,nv,\n")
    with pytest.warns(DatasetWarning, match="image without a lesion's id: b; fill in"):
        assert list(load_dataset(tmp_path)["lesion_id"]) == ["L1", "b"]


@pytest.mark.skipif(os.name != "posix", reason="made by POSIX")
def test_a_pipe_among_the_tables_is_refused_without_waiting(tmp_path: Path) -> None:
    draw(tmp_path, "a.png")
    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(DatasetError, match=r"labels\.csv: can't be opened \(is a pipe"):
        load_dataset(tmp_path)
