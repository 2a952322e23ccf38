"""Figures and dates as a reader sees them, the same on the page and in every file that it hands out."""

import math
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from data.datasets.diagnoses import diagnosis_name
from pipeline.prediction.predictor import LOW_CONFIDENCE, UNLIKE_TRAINING
from segmentation.shape import Measurement

# What a note means for a reader who sees it for the first time.
MEANINGS = {
    LOW_CONFIDENCE: "take the diagnosis as undecided",
    UNLIKE_TRAINING: "the models have learned from nothing like it, and may be wrong however sure they are",
}


def full_name(code: str) -> str:
    """A class as a reader knows it, and its code: "melanoma (mel)"."""
    name = diagnosis_name(code)
    return code if name == code else f"{name} ({code})"


def percent(share: float | None) -> str:
    """A share of 0..1 as text; a dash where it is not known, and never 0 or 100% for what is not."""
    if share is None or math.isnan(share):
        return "–"
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}"


def measure_text(measurement: Measurement) -> str:
    """A measurement's value and unit."""
    value = measurement.value
    return f"{f'{value:,.0f}' if value >= 100 else f'{value:.2f}'} {measurement.unit}".rstrip()


def stamp(now: datetime | None = None) -> str:
    """Date and time with the zone, to the minute."""
    return (now or datetime.now().astimezone()).isoformat(sep=" ", timespec="minutes")


@cache
def software() -> str:
    """The software's version, where it is installed."""
    try:
        return version("lesion")
    except PackageNotFoundError:
        return "not installed"
