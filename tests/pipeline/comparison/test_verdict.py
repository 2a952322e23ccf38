"""The verdict follows its rule: a winner needs a small p-value and a difference that matters."""

import pytest

from data.intervals import Interval
from pipeline.comparison.statistics import Estimate
from pipeline.comparison.verdict import decide, rule


def difference(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, low, high, 0.5, (value,), Interval(value, low, high))


@pytest.mark.parametrize(
    ("value", "low", "high", "p", "kind", "sentence"),
    [
        (0.05, 0.02, 0.08, 0.01, "better", "Crop better."),
        (-0.05, -0.08, -0.02, 0.01, "worse", "Full better."),
        (
            0.05,
            -0.01,
            0.11,
            0.09,
            "no difference shown",
            "No difference shown between crop and full; the 95% interval leaves up to 0.110 possible.",
        ),
        (
            0.01,
            0.002,
            0.018,
            0.01,
            "no difference shown",
            "No difference shown between crop and full; the 95% interval leaves up to 0.018 possible.",
        ),
        (
            0.001,
            -0.009,
            0.011,
            0.8,
            "no difference shown",
            "No difference shown between crop and full; the 95% interval leaves up to 0.011 possible.",
        ),
    ],
)
def test_the_rule(value: float, low: float, high: float, p: float, kind: str, sentence: str) -> None:
    verdict = decide("crop", "full", difference(value, low, high), p, smallest=0.02)
    assert verdict.kind == kind
    assert verdict.sentence.startswith(sentence)


def test_the_corrected_p_value_decides_and_not_the_interval() -> None:
    assert decide("crop", "full", difference(0.05, 0.001, 0.099), 0.07).kind == "no difference shown"


def test_the_reason_tells_apart_no_difference_and_too_few_images() -> None:
    unclear = decide("crop", "full", difference(0.03, -0.03, 0.09), 0.4, smallest=0.02)
    assert "more lesions or more seeds would be needed to tell" in unclear.reason
    same = decide("crop", "full", difference(0.0, -0.01, 0.01), 0.9, smallest=0.02)
    assert "whatever difference there is, is under 0.02" in same.reason
    small = decide("crop", "full", difference(0.015, 0.005, 0.025), 0.01, smallest=0.02)
    assert "there is a difference, but less than 0.02" in small.reason


def test_the_rule_names_the_smallest_difference_of_interest() -> None:
    assert "at least 0.05, the smallest difference of interest" in rule("crop", "full", 0.05)
