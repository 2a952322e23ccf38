"""The figures of docs/speed.md: `lesion benchmark` of some bundles, and the baselines beside the first of them.

The page's text between its two marks is replaced by what is found. Let nothing else run meanwhile.

Run: python tests/benchmarks/speed.py docs/speed.md BUNDLE [BUNDLE ...]
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.benchmark.figures import Benchmark, Spread, Way
from pipeline.benchmark.measuring import BenchmarkPlan, run_benchmark
from pipeline.bundle.loading import load_bundle

START, END = "<!-- figures: tests/benchmarks/speed.py writes from here -->", "<!-- to here -->"
GOALS = {"first_answer": 20, "image": 8, "folder": 4, "peak_memory": 4}
TITLES = {
    "first_answer": "first answer, whole process",
    "image": "one image",
    "folder": "folder, whole process",
    "running_rate": "folder after the first answer",
    "peak_memory": "peak memory, folder",
}


def main(page: Path, *bundles: str) -> None:
    found = []
    for bundle in bundles:
        plan = BenchmarkPlan() if not found else replace(BenchmarkPlan(), baselines=(), float32=False)
        found.append(
            run_benchmark(load_bundle(bundle), plan, announce=lambda step: print(step, file=sys.stderr))
        )
    text = page.read_text(encoding="utf-8")
    before, after = text.index(START) + len(START), text.index(END)
    sections = (
        machine(found[0]),
        speeds(found),
        ratios(found[0]),
        effects(found[0]),
        stages(found),
        memory(found),
        floor(found),
    )
    figures = "\n\n".join("\n".join(section) for section in sections)
    page.write_text(f"{text[:before]}\n{figures}\n{text[after:]}", encoding="utf-8")


def machine(found: Benchmark) -> Iterator[str]:
    facts = dict(found.machine)
    hardware = ", ".join((facts.pop("processor"), f"{facts.pop('cores')} cores", facts.pop("memory")))
    system = facts.pop("system")
    yield f"{hardware}; {system}, " + ", ".join(f"{name} {version}" for name, version in facts.items()) + "."
    yield from (f"Left out: {name}, {reason}." for name, reason in found.missing.items())


def speeds(found: Sequence[Benchmark]) -> Iterator[str]:
    folder = found[0].folder_images
    yield "Median (minimum-maximum):"
    yield ""
    yield from table(
        (
            "",
            "first answer, s",
            "one image, ms",
            f"folder of {folder}, images/s",
            "peak memory, MB: one image, folder",
            "million MACs",
            "million parameters",
        ),
        *((_name(each), *_speeds(each.lesion, folder)) for each in found),
        *((baseline.name, *_speeds(baseline, folder)) for baseline in found[0].baselines),
    )


def ratios(found: Benchmark) -> Iterator[str]:
    yield f"How many times better {_name(found)} is, by medians:"
    yield ""
    each = [found.ratios(baseline) for baseline in found.baselines]
    yield from table(
        ("", "goal against Keras", *(baseline.name for baseline in found.baselines)),
        *(
            (title, GOALS.get(key, ""), *(f"{ratio[key]:.1f}" if key in ratio else "" for ratio in each))
            for key, title in TITLES.items()
        ),
    )


def effects(found: Benchmark) -> Iterator[str]:
    yield "What makes one image faster, by medians; the factors multiply to the whole:"
    yield ""
    yield from table(
        ("change", "times faster"), *((name, f"{times:.1f}") for name, times in found.effects.items())
    )


def stages(found: Sequence[Benchmark]) -> Iterator[str]:
    yield "Where the time of one image goes, medians in milliseconds:"
    yield ""
    yield from table(
        ("", *found[0].stages),
        *((_name(each), *(f"{value:.2f}" for value in each.stages.values())) for each in found),
    )


def memory(found: Sequence[Benchmark]) -> Iterator[str]:
    counts = sorted(found[0].lesion.peak_bytes)
    yield "Peak memory in MB by the number of images, and the sizes of the files:"
    yield ""
    yield from table(
        ("", *(f"{count:,}" for count in counts), "10,000 over 100", "both models' files"),
        *((_name(each), *_memory(each, counts)) for each in found),
    )


def floor(found: Sequence[Benchmark]) -> Iterator[str]:
    yield "The floor: MACs of each network over the rate of its precision, and decoding:"
    yield ""
    yield from table(
        (
            "",
            "million MACs: U-Net, classifier",
            "thousand million a second: U-Net, classifier",
            "decoding, ms",
            "floor, ms",
            "one image / floor",
        ),
        *((_name(each), *_floor(each)) for each in found),
    )


def table(heading: Sequence[object], *rows: Sequence[object]) -> Iterator[str]:
    for row in (heading, ["---"] * len(heading), *rows):
        yield "| " + " | ".join(map(str, row)) + " |"


def _name(found: Benchmark) -> str:
    height, width, _ = found.bundle["input"]["segmentation"]
    precisions = list(dict.fromkeys(found.bundle["precision"].values()))
    return f"Lesion, {' and '.join(precisions)}, U-Net at {height}x{width}"


def _speeds(way: Way, folder: int) -> Iterable[str]:
    yield _spread(way.first_answer, 2)
    yield _spread(way.image, 1)
    yield _spread(way.folder, 1)
    yield ", ".join(f"{way.peak_bytes[count] / 1e6:.0f}" for count in (1, folder) if count in way.peak_bytes)
    macs, parameters = way.total("macs"), way.total("parameters")
    yield "" if macs is None else f"{macs / 1e6:,.0f}"
    yield "" if parameters is None else f"{parameters / 1e6:.2f}"


def _spread(spread: Spread | None, digits: int) -> str:
    if spread is None:
        return ""
    return f"{spread.median:.{digits}f} ({spread.minimum:.{digits}f}-{spread.maximum:.{digits}f})"


def _memory(found: Benchmark, counts: Iterable[int]) -> Iterable[str]:
    yield from (f"{found.lesion.peak_bytes[count] / 1e6:.0f}" for count in counts)
    yield "" if found.memory_growth is None else f"{found.memory_growth:+.1%}"
    sizes = found.bundle["file_bytes"]
    yield f"{sum(size for name, size in sizes.items() if name.endswith('.tflite')) / 1e6:.1f} MB"


def _floor(found: Benchmark) -> Iterable[str]:
    floor, image = found.floor, found.lesion.image
    yield ", ".join(f"{macs / 1e6:.0f}" for macs in floor.macs.values())
    yield ", ".join(f"{rate / 1e9:.1f}" for rate in floor.rates.values())
    yield f"{floor.decode:.2f}"
    yield f"{floor.milliseconds:.1f}"
    yield f"{image.median / floor.milliseconds:.2f}" if image else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
