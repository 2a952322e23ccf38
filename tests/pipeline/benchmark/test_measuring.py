"""`lesion benchmark` from end to end with two tiny models, and its parts."""

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.benchmark import measuring, roofline
from pipeline.benchmark.baselines import BASELINES, Baseline
from pipeline.benchmark.folders import example_images, fill_folder
from pipeline.benchmark.int8_rate import MACS, int8_rate, network
from pipeline.benchmark.machine import machine_facts
from pipeline.benchmark.measuring import BenchmarkPlan
from pipeline.benchmark.roofline import macs, matrix_rate, parameters
from pipeline.benchmark.stages import STAGES, StageTimer, time_images
from pipeline.bundle.loading import load_bundle
from pipeline.cli.lesion import app

ABSENT = Baseline("Absent", "pipeline.absent", "", needs=("no_such_package", "json"))
BROKEN = Baseline("Broken", "pipeline.no_such_module", "", needs=())


@pytest.fixture(scope="module")
def found(bundle_folder):
    """The JSON of a benchmark of a few images, with a baseline that is not installed and one that fails."""
    plan = BenchmarkPlan(starts=2, images=5, folder=6, folders=1, memory=(3,), baselines=(ABSENT, BROKEN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "QUICK", plan)
        result = CliRunner().invoke(app, ["benchmark", "--bundle", str(bundle_folder), "--quick", "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_figures_are_in_the_order_that_their_work_is(found):
    lesion = found["lesion"]
    seconds_an_image = lesion["image"]["median"] / 1000

    assert 0 < seconds_an_image < lesion["first_answer"]["median"]
    assert 0 < lesion["folder"]["median"] < 1 / seconds_an_image
    assert lesion["first_answer"]["minimum"] <= lesion["first_answer"]["median"]
    assert (lesion["first_answer"]["runs"], lesion["image"]["runs"], lesion["folder"]["runs"]) == (2, 5, 1)
    assert 10e6 < min(lesion["peak_bytes"].values()) <= max(lesion["peak_bytes"].values()) < 1e9
    assert sorted(map(int, lesion["peak_bytes"])) == [1, 3, 6]


def test_stages_are_told_and_add_up_to_about_the_image(found):
    stages = found["lesion"]["stages"]

    assert tuple(stages) == STAGES
    assert all(milliseconds > 0 for milliseconds in stages.values())
    assert sum(stages.values()) <= found["lesion"]["image"]["maximum"]


def test_machine_and_bundle_are_told_without_names_of_hosts_and_paths(found, bundle_folder):
    assert {"processor", "cores", "memory", "system", "python", "numpy"} <= found["machine"].keys()
    assert found["bundle"]["input"]["segmentation"] == [48, 64, 3]
    assert found["bundle"]["file_bytes"]["segmentation.tflite"] == (
        (bundle_folder / "segmentation.tflite").stat().st_size
    )
    assert str(bundle_folder) not in json.dumps(found)


def test_a_baseline_that_is_not_installed_or_fails_is_left_out_with_the_reason(found):
    assert found["baselines"] == []
    assert found["missing"]["Absent"] == "no_such_package not installed"
    assert "no_such_module" in found["missing"]["Broken"]


def test_a_folder_holds_its_images_but_takes_their_space_only_once(tmp_path):
    folder = fill_folder(tmp_path / "images", 30)

    images = sorted(folder.iterdir())
    assert len(images) == 30
    assert len({image.stat().st_ino for image in images}) == len(example_images()) == 12
    assert images[12].read_bytes() == images[0].read_bytes() == example_images()[0].read_bytes()


def test_folders_are_copies_where_the_file_system_has_no_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("pipeline.benchmark.folders.os.link", refuse)
    assert Counter(image.suffix for image in fill_folder(tmp_path / "images", 13).iterdir()) == {".jpg": 13}


def test_every_image_is_timed_after_a_warm_up(bundle_folder):
    contents = [image.read_bytes() for image in example_images()[:2]]
    split = time_images(StageTimer(load_bundle(bundle_folder)), contents, count=4)

    assert len(split) == 4
    assert all(seconds > 0 for stages in split for seconds in stages.values())


def test_macs_are_those_of_the_convolutions(model_files):
    assert macs(model_files["segmentation"]) == 48 * 64 * 3
    assert macs(model_files["segmentation-int8"]) == 48 * 64 * 3
    assert macs(model_files["classification"]) == 4 * 4 * 3 * 7


def test_parameters_are_the_weights_and_biases_of_the_file(model_files):
    assert 0 < parameters(model_files["segmentation"]) == parameters(model_files["segmentation-int8"]) < 100
    assert parameters(model_files["classification"]) < 100


def test_the_int8_rate_is_that_of_the_quickest_run_of_its_convolutions(tmp_path, monkeypatch):
    (tmp_path / "products.tflite").write_bytes(network())
    assert macs(tmp_path / "products.tflite") == MACS
    seconds = itertools.chain([0.4, 0.2], itertools.repeat(0.8))
    monkeypatch.setattr("pipeline.benchmark.int8_rate._run_seconds", lambda _: next(seconds))
    assert int8_rate(threads=1) == pytest.approx(MACS / 0.2)


def test_the_matrix_rate_is_that_of_the_quickest_product(monkeypatch):
    seconds = itertools.chain([0.4, 0.2], itertools.repeat(0.8))
    monkeypatch.setattr(roofline, "_product_seconds", lambda _: next(seconds))
    assert matrix_rate() == pytest.approx(roofline.MATRIX_SIDE**3 / 0.2)


def test_the_machine_has_cores_and_a_processor():
    facts = machine_facts()
    assert int(facts["cores"]) >= 1
    assert facts["processor"]


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)
def test_baselines_name_modules_that_are_there(baseline):
    assert __import__(baseline.module)
    assert {"tensorflow", "torch"} & set(baseline.needs)


def test_without_baselines_none_is_named(bundle_folder, monkeypatch):
    plans = []

    def remember(_, plan, **_progress):
        plans.append(plan)
        raise measuring.ProcessError("that is enough")

    monkeypatch.setattr(measuring, "run_benchmark", remember)
    result = CliRunner().invoke(app, ["benchmark", "--bundle", str(bundle_folder), "--no-baselines"])

    assert result.exit_code == 2
    assert (plans[0].baselines, plans[0].float32, plans[0].folder) == ((), False, 1000)
    assert np.diff(plans[0].memory).min() > 0
