"""Which values the measurements of `segmentation.shape` mostly have, over many labelled lesions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from segmentation.shape import Measurement

# Those that need no scale: the datasets' images don't say how large a pixel is.
WITHOUT_SCALE = ("Asymmetry", "Border irregularity", "Colour variegation")
LOW, HIGH = 0.05, 0.95
FEWEST = 20


def typical_ranges(measured: Iterable[tuple[str, tuple[Measurement, ...]]]) -> dict[str, Any]:
    """The middle nine tenths of each measurement that needs no scale, by diagnosis.

    Parameters
    ----------
    measured : (diagnosis, measurements) of each lesion; an empty tuple is no lesion

    Returns
    -------
    {diagnosis: {"lesions": n, "ranges": {measurement: [low, median, high]}}}; diagnoses of fewer than `FEWEST` lesions
    are left out, as their extremes say little.
    """
    values: dict[str, list[list[float]]] = defaultdict(list)
    for diagnosis, measurements in measured:
        by_name = {each.name: each.value for each in measurements}
        if by_name:
            values[diagnosis].append([by_name[name] for name in WITHOUT_SCALE])
    return {
        diagnosis: {
            "lesions": len(rows),
            "ranges": dict(
                zip(
                    WITHOUT_SCALE,
                    np.quantile(rows, (LOW, 0.5, HIGH), axis=0).T.round(4).tolist(),
                    strict=True,
                )
            ),
        }
        for diagnosis, rows in sorted(values.items())
        if len(rows) >= FEWEST
    }


def range_of(
    ranges: Mapping[str, Any], diagnosis: str, measurement: str
) -> tuple[float, float, float] | None:
    """Low end, median and high end of a measurement for a diagnosis; None where they are not known."""
    known = ranges.get(diagnosis, {}).get("ranges", {}).get(measurement)
    return None if known is None else (known[0], known[1], known[2])
