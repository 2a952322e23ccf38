import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import lesion as cli
from pipeline.cli.subcommands import MODULES

MODULES_OF_TRAINING = ("tensorflow", "keras", "pandas", "sklearn", "scipy", "skimage", "matplotlib")


@pytest.fixture
def lesion():
    """A function that runs the command in this process; the result has exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def photos(tmp_path, draw_disc, write_image) -> Path:
    """Three good images, of which one has no lesion."""
    write_image(tmp_path / "photos" / "blue.png", draw_disc((30, 30, 90)))
    write_image(tmp_path / "photos" / "red.png", draw_disc((90, 30, 30)))
    write_image(tmp_path / "photos" / "skin.png", np.full((100, 120, 3), 230, np.uint8))
    return tmp_path / "photos"


@pytest.fixture
def mixed(photos) -> Path:
    """The good images and three broken ones."""
    (photos / "empty.jpg").touch()
    (photos / "renamed.jpg").write_text("a letter and no image")
    (photos / "cut.png").write_bytes((photos / "red.png").read_bytes()[:200])
    return photos


def processor_seconds() -> float:
    """Of the processes that this one has waited for; a busy machine hardly changes it, as it does the time of day."""
    times = os.times()
    return times.children_user + times.children_system


def in_own_process(*arguments, code="from pipeline.cli import main; main()"):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_predict_prints_a_line_an_image(lesion, photos, bundle_folder):
    result = lesion("predict", photos, "--bundle", bundle_folder)

    assert (result.exit_code, result.stderr) == (0, "")
    header, blue, red, skin = result.stdout.splitlines()
    assert header.split() == ["image", "diagnosis", "confidence", "malignant", "lesion", "area", "notes"]
    assert "blue.png  vascular lesion (vasc)" in blue
    assert "red.png   melanoma (mel)" in red
    assert skin.endswith("no lesion found: whole image used; low confidence")


def test_a_second_look_is_taken_unless_it_is_refused(lesion, photos, make_bundle, tmp_path):
    again = {"temperature": 1.0, "abstention_threshold": 1.0, "below_confidence": 0.5}
    bundle = make_bundle(tmp_path / "b", second_look=again)
    by_default, once = (
        lesion("predict", photos / "red.png", "--bundle", bundle, "--json", *option)
        for option in ((), ("--no-tta",))
    )

    assert json.loads(by_default.stdout)["images"][0]["notes"] == ["low confidence"]
    assert json.loads(once.stdout)["images"][0]["notes"] == []


def test_flips_are_an_option_of_predict_with_a_calibration_of_their_own(
    lesion, photos, make_bundle, tmp_path
):
    bundle = make_bundle(tmp_path / "b", flips={"temperature": 1.0, "abstention_threshold": 1.0})
    plain, flipped = (
        lesion("predict", photos / "red.png", "--bundle", bundle, "--json", *option)
        for option in ((), ("--tta",))
    )

    assert json.loads(plain.stdout)["images"][0]["notes"] == []
    assert json.loads(flipped.stdout)["images"][0]["notes"] == ["low confidence"]


@pytest.mark.parametrize(
    ("command", "former", "current"),
    [
        (("predict",), ("--flips",), "--tta"),
        (("evaluate",), ("--flips",), "--tta"),
        (("compare",), ("--repetitions", "100"), "--resamples"),
        (("benchmark",), ("--no-peers",), "--no-baselines"),
        (("train", "classification"), ("--epochs", "1"), "--full-epochs"),
        (("train", "segmentation"), ("--epochs", "1"), "--full-epochs"),
    ],
)
def test_an_option_still_takes_its_former_name_which_no_help_shows(lesion, command, former, current):
    help_text = lesion(*command, "--help").stdout
    assert re.search(rf"{current}\b", help_text)
    assert not re.search(rf"{former[0]}\b", help_text)
    assert lesion(*command, *former, "--help").exit_code == 0
    assert lesion(*command, f"{former[0]}-x", "--help").exit_code == 2


def test_predict_writes_the_folder(lesion, photos, bundle_folder, tmp_path):
    result = lesion("predict", photos, "--bundle", bundle_folder, "--output", tmp_path / "out")

    assert result.exit_code == 0
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")) == [
        "crops/blue.jpg",
        "crops/red.jpg",
        "masks/blue.png",
        "masks/red.png",
        "masks/skin.png",
        "overlays/blue.jpg",
        "overlays/red.jpg",
        "overlays/skin.jpg",
        "predictions.csv",
        "predictions.json",
    ]


def test_broken_images_are_named_and_the_others_written(lesion, mixed, bundle_folder, tmp_path):
    result = lesion("predict", mixed, "--bundle", bundle_folder, "--output", tmp_path / "out")

    assert result.exit_code == 1
    errors = result.stderr.splitlines()
    assert len(errors) == 3
    for name, reason, error in zip(
        ("cut.png", "empty.jpg", "renamed.jpg"), ("cut short", "empty", "is not a"), errors, strict=True
    ):
        assert error.startswith(f"lesion: {mixed / name}: ") and reason in error
    with (tmp_path / "out" / "predictions.csv").open() as file:
        assert [Path(row["image"]).name for row in csv.DictReader(file)] == [
            "blue.png",
            "red.png",
            "skin.png",
        ]


def test_json_is_one_document_with_predictions_and_failures(lesion, mixed, bundle_folder):
    result = lesion("predict", mixed, "--bundle", bundle_folder, "--json")

    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["bundle"] == "rules"
    images = {Path(entry["image"]).name: entry for entry in document["images"]}
    assert list(images) == ["blue.png", "cut.png", "empty.jpg", "red.png", "renamed.jpg", "skin.png"]
    assert images["red.png"]["diagnosis"] == "mel"
    assert set(images["red.png"]["box"]) == {"x0", "y0", "x1", "y1"}
    assert images["skin.png"]["box"] is None
    assert "empty" in images["empty.jpg"]["error"]


def test_no_images_at_all_are_wrong_usage(lesion, bundle_folder, tmp_path):
    result = lesion("predict", tmp_path, "--bundle", bundle_folder)
    assert result.exit_code == 2
    assert (
        result.stderr
        == f"lesion: {tmp_path}: no images there; give image files, or folders that hold some.\n"
    )


def test_a_missing_file_is_a_failed_image(lesion, photos, bundle_folder):
    result = lesion("predict", photos / "red.png", photos / "gone.png", "--bundle", bundle_folder)
    assert result.exit_code == 1
    assert result.stderr == f"lesion: {photos / 'gone.png'}: no such file; check the path.\n"
    assert "melanoma" in result.stdout


def test_an_unusable_bundle_is_one_line_and_status_2(lesion, photos, bundle_copy):
    (bundle_copy / "classification.tflite").write_bytes(b"damaged")
    result = lesion("predict", photos, "--bundle", bundle_copy)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "classification.tflite: is damaged" in result.stderr


def test_an_output_that_can_not_be_written_is_one_line_and_status_2(lesion, photos, bundle_folder, tmp_path):
    (tmp_path / "file").touch()
    result = lesion("predict", photos, "--bundle", bundle_folder, "--output", tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"lesion: {tmp_path / 'file'}") and result.stderr.count("\n") == 1


def test_isic_needs_the_challenge_classes(lesion, photos, make_bundle, tmp_path):
    bundle = make_bundle(tmp_path / "bundle", classes=[f"type {letter}" for letter in "abcdefg"])
    result = lesion("predict", photos, "--bundle", bundle, "--output", tmp_path / "out", "--isic")
    assert result.exit_code == 2
    assert "leave out --isic" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_second_run_does_not_predict_what_the_first_one_wrote(lesion, photos, bundle_folder):
    for _ in range(2):
        result = lesion("predict", photos, "--bundle", bundle_folder, "--output", photos / "out")
    assert len(result.stdout.splitlines()) == 1 + 3


def test_an_image_whose_name_is_taken_is_pointed_out(lesion, photos, bundle_folder, draw_disc, write_image):
    write_image(photos / "more" / "red.png", draw_disc())
    result = lesion("predict", photos, "--bundle", bundle_folder, "--output", photos.parent / "out")
    assert result.exit_code == 0
    assert result.stderr.startswith(f"lesion: {photos / 'more' / 'red.png'}: its files are called more_red, ")


def test_predict_imports_nothing_of_training(photos, bundle_folder, tmp_path):
    """In a process of its own, for one image with all outputs."""
    code = (
        "import sys\nfrom pipeline.cli.lesion import app\n"
        "app(standalone_mode=False)\n"
        f"print([name for name in {MODULES_OF_TRAINING} if name in sys.modules])"
    )
    arguments = (
        "predict",
        photos / "red.png",
        "--bundle",
        bundle_folder,
        "--output",
        tmp_path / "out",
        "--isic",
    )
    result = in_own_process(*arguments, code=code)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_predict_takes_under_a_second_and_200_megabytes(photos, bundle_folder):
    code = (
        "from pathlib import Path\nfrom pipeline.cli.lesion import app\napp(standalone_mode=False)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    start = processor_seconds()
    result = in_own_process("predict", photos / "red.png", "--bundle", bundle_folder, code=code)
    seconds = processor_seconds() - start

    assert int(result.stdout.splitlines()[-1]) < 200_000, "peak, in kB"
    assert seconds < 3, "several times what it takes on an idle machine"


def test_help_is_quick_and_has_an_example_for_every_command(lesion):
    start = processor_seconds()
    assert in_own_process("--help").returncode == 0
    assert processor_seconds() - start < 1, "several times what it takes on an idle machine"

    for command in (["predict"], ["evaluate"], ["dataset", "check"], ["dataset", "synthesize"]):
        assert f"Example: lesion {' '.join(command)} " in lesion(*command, "--help").stdout


def test_help_imports_neither_numpy_nor_rich():
    code = "import sys\nimport pipeline.cli\nprint({'numpy', 'cv2', 'rich'} & set(sys.modules))"
    assert in_own_process(code=code).stdout == "set()\n"


def test_help_of_all_commands_shows_each_of_them(lesion):
    shown = re.findall(r"^  ([a-z]+)  ", lesion("--help").stdout, re.MULTILINE)
    assert shown == list(MODULES)


def test_a_command_imports_no_other_commands_module():
    code = (
        "import sys\nfrom pipeline.cli.lesion import app\napp(standalone_mode=False)\n"
        f"print([place for place in {list(MODULES.values())} if place in sys.modules])"
    )
    result = in_own_process("predict", "--help", code=code)
    assert result.stdout.splitlines()[-1] == "['pipeline.cli.predict']"


def test_a_printed_prediction_imports_nothing_that_only_writing_files_and_processes_need(
    photos,
):
    """In a process of its own, with the bundle that ships: no other process tries that one first."""
    needless = (
        "csv",
        "email",
        "importlib.metadata",
        "multiprocessing",
        "socket",
        "tempfile",
        "PIL.ImageDraw",
    )
    code = (
        "import sys\nfrom pipeline.cli.lesion import app\napp(standalone_mode=False)\n"
        f"print([name for name in {needless} if name in sys.modules])"
    )
    result = in_own_process("predict", photos / "red.png", code=code)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def many(photos) -> Path:
    """A folder of thousands of links to one image, and one that is broken."""
    for number in range(3000):
        os.link(photos / "red.png", photos / f"{number:04d}.png")
    (photos / "0100.png").unlink()
    (photos / "0100.png").touch()
    return photos


def start_predicting(folder, bundle_folder, output, *options):
    """A process that predicts into `output`, once it is under way: its first rows are there."""
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a background job ignores it
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", f"{heed}; from pipeline.cli import main; main()", "predict", folder),
            *("--bundle", bundle_folder, "--output", output, *options),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    table = output / "predictions.csv"
    while not table.exists() or table.read_bytes().count(b"\n") < 20:
        assert process.poll() is None
        time.sleep(0.01)
    return process


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("sent", "status", "workers"),
    [("SIGINT", 130, 1), ("SIGTERM", 143, 1), ("SIGTERM", 143, 2), ("SIGHUP", 129, 1)],
)
def test_a_run_that_is_ended_leaves_what_is_done(many, bundle_folder, tmp_path, sent, status, workers):
    output = tmp_path / "out"
    process = start_predicting(many, bundle_folder, output, "--workers", str(workers))
    process.send_signal(getattr(signal, sent))
    _, errors = process.communicate(timeout=60)

    assert process.returncode == status
    assert "Traceback" not in errors
    rows = rows_of(output / "predictions.csv")
    assert 19 <= len(rows) < 3000 and all(None not in row.values() for row in rows)
    assert all((output / "masks" / f"{Path(row['image']).stem}.png").exists() for row in rows)
    assert not [path for path in output.rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(lesion, many, bundle_folder, tmp_path, workers):
    for number in range(300, 3000):
        (many / f"{number:04d}.png").unlink()
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start_predicting(many, bundle_folder, killed, "--workers", str(workers))
    process.kill()
    process.communicate()
    before = len(rows_of(killed / "predictions.csv"))

    options = ("--bundle", bundle_folder, "--workers", workers)
    resumed = lesion("predict", many, *options, "--output", killed, "--resume")
    undisturbed = lesion("predict", many, *options, "--output", whole)
    assert (resumed.exit_code, undisturbed.exit_code) == (1, 1), "one image is broken"
    assert len(resumed.stdout.splitlines()) == len(undisturbed.stdout.splitlines()) - before
    contents = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (killed, whole)
    ]
    assert contents[0] == contents[1]


def test_shards_together_are_the_whole(lesion, photos, bundle_folder, tmp_path):
    options = ("--bundle", bundle_folder, "--output", tmp_path / "out", "--no-pictures")
    for number in (1, 2):
        assert lesion("predict", photos, *options, "--shard", f"{number}/2").exit_code == 0
    rows = [
        row["image"] for number in (1, 2) for row in rows_of(tmp_path / f"out/predictions-{number}-of-2.csv")
    ]
    assert sorted(rows) == sorted(map(str, photos.iterdir()))

    wrong = lesion("predict", photos, *options, "--shard", "3/2")
    assert wrong.exit_code == 2 and "i/n with i from 1 to n" in wrong.stderr


def test_parquet_is_written_where_it_is_asked_for(lesion, photos, bundle_folder, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    options = (
        "--bundle",
        bundle_folder,
        "--output",
        tmp_path / "out",
        "--no-pictures",
        "--format",
        "parquet",
    )
    assert lesion("predict", photos, *options).exit_code == 0
    table = parquet.read_table(tmp_path / "out" / "predictions").to_pylist()
    assert [(Path(row["image"]).name, row["diagnosis"]) for row in table[:2]] == [
        ("blue.png", "vasc"),
        ("red.png", "mel"),
    ]
    assert not (tmp_path / "out" / "predictions.csv").exists()


def test_named_images_inside_the_output_are_told(lesion, photos, bundle_folder):
    options = ("--bundle", bundle_folder, "--output", photos / "out")
    lesion("predict", photos, *options)
    result = lesion("predict", photos, photos / "out" / "crops" / "red.jpg", *options)
    assert result.exit_code == 1
    assert result.stderr == (
        f"lesion: {photos}/out/crops/red.jpg: lies in {photos}/out, where results are written; give another --output.\n"
    )
    assert len(result.stdout.splitlines()) == 1 + 3


def test_names_as_long_as_a_file_system_takes_them(lesion, photos, bundle_folder, tmp_path):
    name = "n" * 242
    (photos / "red.png").rename(photos / f"{name}.png")
    result = lesion("predict", photos, "--bundle", bundle_folder, "--output", tmp_path / "out", "--isic")
    assert result.exit_code == 0
    assert result.stderr.endswith(", its own name is too long.\n")
    (mask,) = (tmp_path / "out" / "masks").glob("n*.png")
    assert (tmp_path / "out" / "task1" / f"{mask.stem}_segmentation.png").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_in_the_folder_is_one_failed_image(lesion, photos, bundle_folder):
    os.mkfifo(photos / "pipe.jpg")
    result = lesion("predict", photos, "--bundle", bundle_folder)
    assert result.exit_code == 1
    assert (
        result.stderr.startswith(f"lesion: {photos / 'pipe.jpg'}: is a pipe")
        and result.stderr.count("\n") == 1
    )


def test_a_file_that_vanishes_costs_only_itself(lesion, photos, bundle_folder, tmp_path, monkeypatch):
    """The image goes after it was found."""
    from pipeline.prediction import work  # noqa: PLC0415

    def read(path):
        if path.name == "blue.png":
            path.unlink()
        return opened(path)

    opened = work.opened
    monkeypatch.setattr(work, "opened", read)
    result = lesion("predict", photos, "--bundle", bundle_folder, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr == f"lesion: {photos / 'blue.png'}: no such file; check the path.\n"
    rows = rows_of(tmp_path / "out" / "predictions.csv")
    assert [Path(row["image"]).name for row in rows] == ["red.png", "skin.png"]
    assert "no such file" in (tmp_path / "out" / "failures.csv").read_text()


@pytest.mark.parametrize("option", [("--resume",), ("--isic",), ("--format", "parquet")])
def test_options_of_the_output_need_one(lesion, photos, option):
    result = lesion("predict", photos, *option)
    assert result.exit_code == 2
    assert "it needs --output DIR" in result.stderr


def test_dataset_synthesize_and_check_fit_together(lesion, tmp_path):
    drawn = tmp_path / "drawn"
    assert lesion("dataset", "synthesize", drawn, "--count", 7, "--height", 90, "--width", 120).exit_code == 0

    result = lesion("dataset", "check", drawn, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["images"] == 7

    next((drawn / "masks").iterdir()).unlink()
    result = lesion("dataset", "check", drawn)
    assert result.exit_code == 1
    assert "image without a mask: 1" in result.stdout


def test_a_folder_that_is_no_dataset_is_one_line_and_status_2(lesion, bundle_folder, tmp_path):
    for command in (["dataset", "check", tmp_path], ["evaluate", tmp_path, "--bundle", bundle_folder]):
        result = lesion(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert str(tmp_path) in result.stderr and result.stderr.count("\n") == 1


def test_evaluate_prints_figures_and_writes_a_report(lesion, bundle_folder, tmp_path):
    drawn = tmp_path / "drawn"
    lesion("dataset", "synthesize", drawn, "--count", 8, "--height", 90, "--width", 120)

    options = ("--bundle", bundle_folder, "--resamples", 20, "--output", tmp_path / "report", "--json")
    result = lesion("evaluate", drawn, *options)
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert figures["segmentation"] is not None
    assert figures["abstention"]["images"] == figures["classification"]["images"] == 8
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {
        "metrics.json",
        "predictions.csv",
        "confusion.png",
        "report.html",
    }


@pytest.mark.parametrize(
    ("missing", "extra", "command"),
    [
        ("pandas", "evaluate", ["dataset", "check", "somewhere"]),
        ("pandas", "train", ["train", "segmentation", "somewhere", "--output", "nowhere"]),
        ("keras", "train", ["train", "segmentation", "{dataset}", "--output", "{output}"]),
    ],
)
def test_a_missing_extra_is_named_in_one_line(missing, extra, command, drawn_catalog, tmp_path):
    dataset = Path(drawn_catalog["image_path"][0]).parents[1]
    command = [word.format(dataset=dataset, output=tmp_path / "run") for word in command]
    code = f"import sys; sys.modules[{missing!r}] = None; from pipeline.cli import main; main()"
    result = in_own_process(*command, code=code)

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        f"lesion: this needs {missing}, which is not installed; run in the folder of the software: "
        f"pip install -c constraints.txt '.[{extra}]'"
    )
