"""Ratios say how many times better Lesion is, whichever way better lies."""

import json
import math

import pytest

from pipeline.benchmark.effects import DEFAULT_DECODER, FLOAT32, FUNCTION, LESION, effects_of
from pipeline.benchmark.figures import Benchmark, Floor, Spread, Way
from pipeline.benchmark.printing import to_text

MEGABYTE = 1_000_000
WORK = {
    "segmentation": {"macs": 10**9, "parameters": 3_000_000},
    "classification": {"macs": 3 * 10**8, "parameters": 2_000_000},
}


def spread(*values):
    return Spread.of(values)


@pytest.fixture
def found() -> Benchmark:
    lesion = Way(
        "Lesion",
        first_answer=spread(0.4, 0.5, 0.3),
        image=spread(20.0),
        folder=spread(50.0),
        peak_bytes={1: 120 * MEGABYTE, 100: 150 * MEGABYTE, 1000: 150 * MEGABYTE, 10_000: 153 * MEGABYTE},
    )
    keras = Way(
        "Keras",
        first_answer=spread(8.0, 10.0),
        image=spread(200.0),
        folder=spread(10.0),
        peak_bytes={1: 900 * MEGABYTE, 1000: 1500 * MEGABYTE},
    )
    machine = {
        "processor": "a processor",
        "cores": "2",
        "memory": "4 GiB",
        "system": "Linux",
        "python": "3.11",
    }
    bundle = {
        "name": "rules",
        "precision": {"segmentation": "float32", "classification": "int8"},
        "input": {"segmentation": [48, 64, 3], "classification": [32, 32, 3]},
        "file_bytes": {"bundle.json": 2_000, "segmentation.tflite": 3 * MEGABYTE},
    }
    return Benchmark(
        machine=machine,
        bundle=bundle,
        lesion=lesion,
        stages={"decode": 1.5, "segment": 15.0},
        baselines=(keras, Way(FUNCTION, image=spread(40.0)), Way(FLOAT32, image=spread(25.0), work=WORK)),
        missing={"PyTorch": "torch not installed"},
        folder_images=1000,
        floor=Floor(
            macs={"segmentation": 10**9, "classification": 3 * 10**8},
            rates={"segmentation": 1e11, "classification": 3e11},
            decode=2.0,
        ),
    )


def test_a_spread_is_the_median_and_the_ends():
    assert spread(3.0, 1.0, 2.0) == Spread(median=2.0, minimum=1.0, maximum=3.0, runs=3)
    assert spread() is None


def test_ratios_are_over_one_where_lesion_is_better(found):
    keras, function, _ = found.baselines

    assert found.ratios(keras) == {
        "first_answer": pytest.approx(22.5),
        "image": pytest.approx(10),
        "folder": pytest.approx(5),
        "running_rate": pytest.approx((1000 / 10 - 9) / (1000 / 50 - 0.4)),
        "peak_memory": pytest.approx(10),
    }
    assert found.ratios(function) == {"image": pytest.approx(2)}


def test_the_effects_multiply_to_the_whole_and_what_was_not_measured_is_left_out(found):
    assert found.effects == {
        "runtime: LiteRT, and the steps around it": pytest.approx(40 / 25),
        "int8": pytest.approx(25 / 20),
    }
    measured = {DEFAULT_DECODER: 90.0, FUNCTION: 40.0, FLOAT32: 25.0, LESION: 20.0}
    assert math.prod(effects_of(measured).values()) == pytest.approx(90 / 20)
    assert next(iter(effects_of(measured).values())) == pytest.approx(90 / 40), "the light decoder"


def test_memory_grows_by_the_part_that_ten_thousand_images_take_more_than_a_hundred(found):
    assert found.memory_growth == pytest.approx(0.02)


def test_the_floor_is_multiplication_at_each_stages_rate_and_decoding(found):
    assert found.floor.milliseconds == pytest.approx(10 + 1 + 2)


def test_the_text_names_figures_ratios_and_what_was_left_out(found):
    text = to_text(found)

    assert "0.40 s (0.30-0.50)" in text and "9.00 s (8.00-10.00)" in text
    assert "22.5x" in text and "48 x 64 in float32" in text and "3.00 MB" in text
    assert "decode 1.50, segment 15.00" in text
    assert "13.0 ms an image; measured are 1.54 times that" in text
    assert "300.0 thousand million a second (1x1 convolutions in int8 in LiteRT)" in text
    assert "100.0 thousand million a second (a product of float32 matrices in NumPy)" in text
    assert "One image gets faster by runtime: LiteRT, and the steps around it: 1.6x, int8: 1.2x" in text
    assert "1,300" in text and "5.00" in text
    assert "PyTorch: left out, torch not installed." in text


def test_the_figures_are_json(found):
    figures = json.loads(json.dumps(found.to_dict()))

    assert figures["lesion"]["first_answer"] == {"median": 0.4, "minimum": 0.3, "maximum": 0.5, "runs": 3}
    assert figures["lesion"]["peak_bytes"]["10000"] == 153 * MEGABYTE
    assert figures["lesion"]["running_rate"] == pytest.approx(999 / (20 - 0.4))
    assert figures["baselines"][0]["ratios"]["folder"] == pytest.approx(5)
    assert figures["baselines"][1]["folder"] is None
