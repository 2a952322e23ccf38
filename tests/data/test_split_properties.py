"""What holds of every split and of every table, whatever the catalog."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from data.datasets.tables import open_table
from data.leaks import check_leaks, splits_for
from data.splits import read_splits, split_by_lesion, write_splits

quickly = settings(max_examples=12, derandomize=True, deadline=None)

catalogs = st.builds(
    lambda lesions, classes, seed: pd.DataFrame(
        {
            "image_id": [f"i{number}" for number in range(len(lesions))],
            "lesion_id": [f"L{lesion}" for lesion in lesions],
            "dx": [f"c{lesion % classes}" for lesion in lesions],
        }
    ).sample(frac=1, random_state=seed, ignore_index=True),
    st.lists(st.integers(0, 30), min_size=30, max_size=90).map(lambda lesions: [*range(12), *lesions]),
    st.integers(1, 4),
    st.integers(0, 99),
)


@quickly
@given(catalogs, st.integers(0, 5))
def test_every_image_gets_one_part_and_no_lesion_two(catalog: pd.DataFrame, seed: int) -> None:
    splits = split_by_lesion(catalog, seed=seed)
    assert list(splits["image_id"]) == list(catalog["image_id"])
    assert set(splits["split"]) == {"train", "validation", "test"}
    check_leaks(catalog, splits)
    pd.testing.assert_frame_equal(split_by_lesion(catalog, seed=seed), splits)


@quickly
@given(catalogs)
def test_a_split_comes_back_from_its_csv_as_it_was(catalog: pd.DataFrame) -> None:
    splits = splits_for(catalog, split_by_lesion(catalog))
    with tempfile.TemporaryDirectory() as folder:
        write_splits(splits, Path(folder) / "splits.csv")
        pd.testing.assert_frame_equal(read_splits(Path(folder) / "splits.csv"), splits, check_dtype=False)


cells = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, categories=("L", "N", "P")), min_size=1, max_size=9
)
names = cells.filter(lambda text: text.lower() not in {"na", "n/a", "nan", "null", "none", "<na>", "#n/a"})


@quickly
@given(
    st.lists(st.tuples(names, names, names), min_size=1, max_size=8),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_table_comes_back_as_it_was_written(
    rows: list[tuple[str, ...]], separator: str, encoding: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        with path.open("w", newline="", encoding=encoding) as file:
            csv.writer(file, delimiter=separator).writerows([("image", "dx", "remark"), *rows])
        table = open_table(path)
        assert not isinstance(table, str | None)
        assert np.array_equal(table.read().to_numpy(str), np.array(rows, dtype=str))
