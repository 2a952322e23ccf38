"""The bundle that ships says today what it said when it was shipped, however it is asked."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REGENERATE = Path(__file__).parent / "golden" / "regenerate.py"
KEPT = json.loads(REGENERATE.with_name("answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers() -> Callable[..., dict[str, Any]]:
    """A function (threads, images at once, order) -> the answers of the bundle that ships."""
    return runpy.run_path(str(REGENERATE))["answers"]


@pytest.fixture(scope="module")
def plainly(answers) -> dict[str, Any]:
    return answers()


def test_the_golden_file_is_of_the_bundle_that_ships(plainly) -> None:
    assert KEPT["models"] == plainly["models"], "run: python tests/pipeline/golden/regenerate.py"


@pytest.mark.parametrize("name", list(KEPT["images"]))
def test_an_answer_is_the_one_that_was_kept(plainly, name: str) -> None:
    kept, said = KEPT["images"][name], plainly["images"][name]
    assert (said["diagnosis"], said["notes"]) == (kept["diagnosis"], kept["notes"])
    assert said["probabilities"] == pytest.approx(kept["probabilities"], abs=1e-3)
    assert said["box"] == pytest.approx(kept["box"], abs=2)
    assert said["lesion_fraction"] == pytest.approx(kept["lesion_fraction"], abs=1e-3)


def test_answers_are_the_same_to_the_last_digit_over_threads_order_and_batches(answers, plainly) -> None:
    assert answers(threads=2, at_once=2, backwards=True) == plainly
    assert answers(threads=2) == plainly
