"""A folder of results grows row by row, and a run that was killed goes on where it stopped."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.bundle.loading import Bundle
from pipeline.prediction.appending import GrowingTable, ResultsError
from pipeline.prediction.done import DoneImages
from pipeline.prediction.parquet import ParquetParts
from pipeline.prediction.results import ResultSettings, ResultsFolder
from pipeline.prediction.sharding import Shard
from pipeline.prediction.work import Result

FACTS = {
    "diagnosis": "mel",
    "confidence": 0.75,
    "malignant": 0.8125,
    "probabilities": dict.fromkeys(("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"), 0.125),
    "box": {"x0": 1, "y0": 2, "x1": 30, "y1": 31},
    "lesion_fraction": 0.5,
    "view": "crop",
    "notes": ["low confidence"],
}
CSV = ResultSettings(pictures=False)
PARQUET = ResultSettings("parquet", pictures=False)


def result(name: str, error: str = "") -> Result:
    return Result(Path(name), Path(name).stem, None if error else FACTS, error)


def write(
    folder: Path, bundle: Bundle, names: list[str], settings: ResultSettings, resume: bool = False
) -> int:
    """Write those that are not done yet; return how many that were."""
    with ResultsFolder.open(folder, bundle, settings, resume) as results:
        new = [name for name in names if not results.is_done(Path(name))]
        for name in new:
            results.add(result(name))
    return len(new)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def images(table: Path) -> list[str]:
    with table.open(newline="") as file:
        return [row["image"] for row in csv.DictReader(file)]


@pytest.fixture
def bundle(pipeline) -> Bundle:
    return pipeline.bundle


NAMES = ["a.jpg", "=b.jpg", "c\n.jpg", 'd, "e".jpg', "\udcff.jpg", "ä.jpg"]


@pytest.mark.parametrize("settings", [CSV, PARQUET, ResultSettings(isic=True, pictures=False)])
@pytest.mark.parametrize("done", range(len(NAMES) + 1))
def test_a_resumed_run_ends_with_the_same_bytes(bundle, tmp_path, settings, done) -> None:
    write(tmp_path / "whole", bundle, NAMES, settings)
    write(tmp_path / "two", bundle, NAMES[:done], settings)

    assert write(tmp_path / "two", bundle, NAMES, settings, resume=True) == len(NAMES) - done
    assert contents(tmp_path / "two") == contents(tmp_path / "whole")


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_row_that_a_kill_cut_is_written_again(bundle, tmp_path, cut) -> None:
    settings = ResultSettings(isic=True, pictures=False)
    write(tmp_path / "whole", bundle, NAMES, settings)
    write(tmp_path / "cut", bundle, NAMES[:4], settings)
    table = tmp_path / "cut" / "predictions.csv"
    table.write_bytes(table.read_bytes()[:-cut])

    write(tmp_path / "cut", bundle, NAMES, settings, resume=True)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_rows_are_there_before_the_run_has_ended(bundle, tmp_path) -> None:
    with ResultsFolder.open(tmp_path, bundle, CSV) as results:
        assert images(tmp_path / "predictions.csv") == []
        results.add(result("a.jpg"))
        results.add(result("b.jpg", error="b.jpg: is empty"))
        assert images(tmp_path / "predictions.csv") == ["a.jpg"]
        assert images(tmp_path / "failures.csv") == ["b.jpg"]


def test_without_resume_a_run_starts_anew(bundle, tmp_path) -> None:
    with ResultsFolder.open(tmp_path, bundle, CSV) as results:
        results.add(result("a.jpg", error="a.jpg: is empty"))
    write(tmp_path, bundle, ["b.jpg"], CSV)
    assert images(tmp_path / "predictions.csv") == ["b.jpg"]
    assert not (tmp_path / "failures.csv").exists()


def test_with_resume_a_new_folder_is_started(bundle, tmp_path) -> None:
    assert write(tmp_path / "new", bundle, NAMES, CSV, resume=True) == len(NAMES)


def test_what_failed_is_tried_again(bundle, tmp_path) -> None:
    with ResultsFolder.open(tmp_path, bundle, CSV) as results:
        results.add(result("a.jpg", error="a.jpg: is empty"))
        results.add(result("b.jpg"))
    assert write(tmp_path, bundle, ["a.jpg", "b.jpg"], CSV, resume=True) == 1
    assert images(tmp_path / "predictions.csv") == ["b.jpg", "a.jpg"]
    assert not (tmp_path / "failures.csv").exists()


def test_results_of_other_settings_are_not_gone_on_with(bundle, tmp_path) -> None:
    write(tmp_path, bundle, NAMES, CSV)
    before = contents(tmp_path)
    write(
        tmp_path, bundle, NAMES, ResultSettings(pictures=False, tta=False), resume=True
    )  # what this bundle does
    with pytest.raises(ResultsError, match=r"is of a run with another tta; resume it with the same options"):
        write(tmp_path, bundle, NAMES, ResultSettings(pictures=False, tta=True), resume=True)
    assert contents(tmp_path) == before

    facts = json.loads((tmp_path / "predictions.json").read_text())
    (tmp_path / "predictions.json").write_text(json.dumps(facts | {"bundle_sha256": "other"}))
    with pytest.raises(ResultsError, match="another bundle_sha256"):
        write(tmp_path, bundle, NAMES, CSV, resume=True)


def test_two_runs_do_not_go_on_with_one_table_at_the_same_time(bundle, tmp_path) -> None:
    pytest.importorskip("fcntl")
    write(tmp_path, bundle, NAMES, CSV)
    with ResultsFolder.open(tmp_path, bundle, CSV, resume=True):
        code = (
            "import sys; from pathlib import Path; from pipeline.prediction.appending import GrowingTable\n"
            "GrowingTable.go_on(Path(sys.argv[1]), sys.argv[2].split(','))"
        )
        table = tmp_path / "predictions.csv"
        header = table.read_bytes().splitlines()[0].decode()
        other = subprocess.run(
            [sys.executable, "-c", code, table, header], capture_output=True, text=True, check=False
        )
    assert "another run is writing to it" in other.stderr


def test_runs_that_start_in_one_folder_do_not_mix_their_rows(bundle, tmp_path) -> None:
    with (
        ResultsFolder.open(tmp_path, bundle, CSV) as first,
        ResultsFolder.open(tmp_path, bundle, CSV) as second,
    ):
        for results in (first, second):
            results.add(result("a.jpg"))
    assert images(tmp_path / "predictions.csv") == ["a.jpg"]


def test_what_a_kill_left_half_written_is_removed(bundle, tmp_path) -> None:
    settings = ResultSettings(isic=True)
    write(tmp_path, bundle, NAMES, settings)
    code = (
        "import os, sys; from pathlib import Path; from data.files import replacing\n"
        "blocks = [replacing(Path(path)) for path in sys.argv[1:]]\n"
        "for block in blocks:\n    block.__enter__()\nos._exit(9)"
    )
    whole = [tmp_path / folder / "a.png" for folder in (".", "masks", "task1", "overlays")]
    subprocess.run([sys.executable, "-c", code, *whole], check=False)
    assert len(list(tmp_path.rglob(".*"))) == 4
    write(tmp_path, bundle, NAMES, settings, resume=True)
    assert not list(tmp_path.rglob(".*"))


def test_a_full_disk_names_the_table_and_cuts_no_row(tmp_path, monkeypatch) -> None:
    table = GrowingTable.start(tmp_path / "t.csv", ("image", "note"))
    table.add(("a.jpg", "whole"))
    write_all_of_it = __import__("os").write
    monkeypatch.setattr("os.write", lambda handle, line: write_all_of_it(handle, line[:3]))
    with pytest.raises(OSError, match=r"No space left on device: .*t\.csv"):
        table.add(("b.jpg", "cut"))
    monkeypatch.undo()
    table.close()
    assert (tmp_path / "t.csv").read_text() == "image,note\na.jpg,whole\n"


def test_shards_share_a_folder(bundle, tmp_path) -> None:
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    names = [f"{number}.jpg" for number in range(60)]
    for settings in (ResultSettings(pictures=False, shard=shard) for shard in shards):
        write(tmp_path, bundle, [name for name in names if settings.shard.holds(Path(name))], settings)
    rows = [image for shard in shards for image in images(tmp_path / f"predictions{shard.ending}.csv")]
    assert sorted(rows) == sorted(names)
    assert all(10 <= len(images(tmp_path / f"predictions{shard.ending}.csv")) <= 30 for shard in shards)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "-1/4", "1/0"])
def test_a_shard_is_i_of_n(text) -> None:
    with pytest.raises(ValueError, match="i/n with i from 1 to n"):
        Shard.parse(text)
    assert Shard.parse("2/4") == Shard(2, 4)


def test_names_that_are_done_are_told_from_others() -> None:
    done = DoneImages(f"{number}.jpg" for number in range(0, 5000, 2))
    assert len(done) == 2500
    assert [f"{number}.jpg" in done for number in range(6000)] == [
        number % 2 == 0 and number < 5000 for number in range(6000)
    ]
    assert "a.jpg" not in DoneImages()


@pytest.mark.parametrize("done", range(8))
def test_parts_are_whole_and_do_not_depend_on_interruptions(tmp_path, done) -> None:
    rows = [{"image": f"{number}.jpg", "mel": number / 7} for number in range(7)]
    for folder, stops in (("whole", [7]), ("two", [done, 7])):
        for stop in stops:
            parts = ParquetParts(tmp_path / folder, ("mel",), rows_a_part=3)
            there = len(list(parts.names()))
            for row in rows[there:stop]:
                parts.add(row)
            parts.close()
    assert contents(tmp_path / "two") == contents(tmp_path / "whole")
    assert [pq.read_metadata(path).num_rows for path in sorted((tmp_path / "two").iterdir())] == [3, 3, 1]
    assert pq.read_table(tmp_path / "two")["image"].to_pylist() == [row["image"] for row in rows]


def test_parquet_holds_what_the_csv_holds_with_its_types(bundle, tmp_path) -> None:
    write(tmp_path, bundle, ["a.jpg"], PARQUET)
    (row,) = pq.read_table(tmp_path / "predictions").to_pylist()
    assert (row["image"], row["malignant"], row["x1"], row["notes"]) == (
        "a.jpg",
        0.8125,
        30,
        "low confidence",
    )
    write(tmp_path / "csv", bundle, ["a.jpg"], CSV)
    with (tmp_path / "csv" / "predictions.csv").open(newline="") as file:
        assert list(row) == next(csv.reader(file))
