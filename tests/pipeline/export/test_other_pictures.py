"""Pictures of anything else: each whole, and parts of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.datasets.catalog import DatasetError
from pipeline.export.other_pictures import PART_SIZE, PARTS, pictures_in, with_parts


def test_a_picture_comes_whole_and_in_parts_the_same_for_a_seed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, size in (("wide.png", (60, 200, 3)), ("deeper/high.png", (200, 40, 3))):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(path)
    paths = pictures_in(tmp_path)
    pictures = list(with_parts(paths, seed=3))
    assert [picture.shape for picture in pictures[:: PARTS + 1]] == [
        np.asarray(Image.open(path)).shape for path in paths
    ]
    parts = [picture for k, picture in enumerate(pictures) if k % (PARTS + 1)]
    assert {part.shape for part in parts} == {(*PART_SIZE, 3)}
    assert len({part.tobytes() for part in parts}) == len(parts)
    again = list(with_parts(paths, seed=3))
    assert all(np.array_equal(one, other) for one, other in zip(pictures, again, strict=True))


def test_what_is_too_small_or_damaged_is_left_out(tmp_path: Path) -> None:
    for name, side in (("small.png", 20), ("large.png", 40), ("cut.png", 40)):
        Image.fromarray(np.full((side, side, 3), 90, np.uint8)).save(tmp_path / name)
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:-20])
    (tmp_path / "none.jpg").write_text("no image")
    assert {path.name for path in pictures_in(tmp_path)} == {"cut.png", "large.png"}  # by the header alone
    assert len(list(with_parts(pictures_in(tmp_path)))) == 1 + PARTS


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no images; name a folder of photographs"):
        pictures_in(tmp_path)
