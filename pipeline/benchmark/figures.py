"""The figures of a benchmark, which print and serialise."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.benchmark.effects import effects_of


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one thing."""

    median: float
    minimum: float
    maximum: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """None where there is none to tell of."""
        return cls(statistics.median(values), min(values), max(values), len(values)) if values else None


@dataclass(frozen=True)
class Way:
    """One way to do the work; None for what was not measured.

    Attributes
    ----------
    name : str
    first_answer : Spread of seconds
        A whole process that predicts one image, from its start to its end.
    image : Spread of milliseconds
        One image, from the bytes of a JPEG file to the diagnosis, in a process that has done it before.
    folder : Spread of images/s
        A whole process that predicts a folder, its start included.
    peak_bytes : mapping
        The peak of a process's memory by the number of images that it predicts.
    work : mapping
        `macs` and `parameters` of its networks, by stage.
    """

    name: str
    first_answer: Spread | None = None
    image: Spread | None = None
    folder: Spread | None = None
    peak_bytes: Mapping[int, int] = field(default_factory=dict)
    work: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def total(self, figure: str) -> int | None:
        """The `macs` or `parameters` of both networks."""
        return sum(stage[figure] for stage in self.work.values()) if self.work else None

    def running_rate(self, folder_images: int) -> float | None:
        """Images a second of a folder once the process has given its first answer, by medians."""
        if self.folder is None or self.first_answer is None:
            return None
        seconds = folder_images / self.folder.median - self.first_answer.median
        return (folder_images - 1) / seconds if seconds > 0 else None


@dataclass(frozen=True)
class Floor:
    """What one image would take if nothing but multiplications and the JPEG decoder took time.

    Attributes
    ----------
    macs : mapping
        By stage, of one image.
    rates : mapping
        By stage, MACs a second: in int8 those of 1x1 convolutions in LiteRT, else of a product of float32 matrices in
        NumPy.
    decode : float
        Milliseconds to decode one image.
    """

    macs: Mapping[str, int]
    rates: Mapping[str, float]
    decode: float

    @property
    def milliseconds(self) -> float:
        return sum(1000 * macs / self.rates[stage] for stage, macs in self.macs.items()) + self.decode


@dataclass(frozen=True)
class Benchmark:
    """Everything that `lesion benchmark` found.

    Attributes
    ----------
    machine : mapping, name -> text
    bundle : mapping
        Name, precisions, input sizes and the sizes of the files in bytes.
    lesion : Way
    stages : mapping
        Milliseconds of one image by stage, median; together they are the image's time but for rounding to medians.
    baselines : Ways that do the same work with other software, or in float32
    missing : names of the baselines whose software is not installed, or the reason why they failed
    folder_images : number of images of the timed folder
    floor : Floor
    """

    machine: Mapping[str, str]
    bundle: Mapping[str, Any]
    lesion: Way
    stages: Mapping[str, float]
    baselines: tuple[Way, ...]
    missing: Mapping[str, str]
    folder_images: int
    floor: Floor

    def ratios(self, baseline: Way) -> dict[str, float]:
        """How many times sooner, faster and smaller Lesion is than the baseline, by medians; over 1 is better."""
        ratios = {
            "first_answer": _ratio(baseline.first_answer, self.lesion.first_answer),
            "image": _ratio(baseline.image, self.lesion.image),
            "folder": _ratio(self.lesion.folder, baseline.folder),
            "running_rate": self._rate_ratio(baseline),
            "peak_memory": _memory_ratio(baseline.peak_bytes, self.lesion.peak_bytes),
        }
        return {name: value for name, value in ratios.items() if value is not None}

    @property
    def effects(self) -> dict[str, float]:
        """How many times faster one image becomes by the architecture, the runtime and int8, by medians."""
        ways = (self.lesion, *self.baselines)
        return effects_of({way.name: way.image.median for way in ways if way.image})

    def _way(self, way: Way) -> dict[str, Any]:
        return asdict(way) | {"running_rate": way.running_rate(self.folder_images)}

    def _rate_ratio(self, baseline: Way) -> float | None:
        mine, theirs = (way.running_rate(self.folder_images) for way in (self.lesion, baseline))
        return mine / theirs if mine and theirs else None

    @property
    def memory_growth(self) -> float | None:
        """Peak memory of the most images over that of a hundred, minus 1; None where either was not measured."""
        most = max(self.lesion.peak_bytes, default=0)
        if most <= 100 or 100 not in self.lesion.peak_bytes:
            return None
        return self.lesion.peak_bytes[most] / self.lesion.peak_bytes[100] - 1

    def to_dict(self) -> dict[str, Any]:
        """For `--json`; times are in the units of `Way`."""
        baselines = [self._way(baseline) | {"ratios": self.ratios(baseline)} for baseline in self.baselines]
        return {
            "machine": dict(self.machine),
            "bundle": dict(self.bundle),
            "folder_images": self.folder_images,
            "lesion": self._way(self.lesion)
            | {"stages": dict(self.stages), "memory_growth": self.memory_growth},
            "baselines": baselines,
            "peers": baselines,  # the key that earlier versions wrote
            "effects": self.effects,
            "missing": dict(self.missing),
            "floor": asdict(self.floor) | {"milliseconds": self.floor.milliseconds},
        }


def _ratio(large: Spread | None, small: Spread | None) -> float | None:
    return large.median / small.median if large and small else None


def _memory_ratio(baseline: Mapping[int, int], lesion: Mapping[int, int]) -> float | None:
    """By the largest number of images that both predicted."""
    both = baseline.keys() & lesion.keys()
    return baseline[max(both)] / lesion[max(both)] if both else None
