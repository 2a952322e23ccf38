"""A benchmark as text for the terminal."""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.benchmark.figures import Benchmark, Spread, Way

MEGABYTE = 1e6


def to_text(benchmark: Benchmark) -> str:
    """The machine, the bundle, a table of all ways with their ratios, and where Lesion's time and memory go."""
    parts = (
        _facts(benchmark),
        _aligned(_comparison(benchmark)),
        _effects(benchmark),
        _stages(benchmark),
        _aligned(_memory(benchmark)),
        _floor(benchmark),
        "\n".join(f"{name}: left out, {reason}." for name, reason in benchmark.missing.items()),
    )
    return "\n\n".join(filter(None, parts))


def _facts(benchmark: Benchmark) -> str:
    machine = dict(benchmark.machine)
    hardware = [machine.pop("processor"), f"{machine.pop('cores')} cores", machine.pop("memory")]
    system = machine.pop("system")
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    bundle = benchmark.bundle
    files = bundle["file_bytes"]
    sizes = ", ".join(f"{name} {size / MEGABYTE:.2f} MB" for name, size in files.items())
    inputs = ", ".join(
        f"{stage} {height} x {width} in {bundle['precision'][stage]}"
        for stage, (height, width, _) in bundle["input"].items()
    )
    return (
        f"Machine: {', '.join([*hardware, system])}\n"
        f"Software: {versions}\n"
        f"Bundle {bundle['name']}: {inputs}\n"
        f"Files: {sizes}; {sum(files.values()) / MEGABYTE:.2f} MB in all"
    )


def _comparison(benchmark: Benchmark) -> Iterator[Sequence[str]]:
    ways = (benchmark.lesion, *benchmark.baselines)
    yield "median (minimum-maximum)", *(way.name for way in ways)
    yield "first answer, whole process", *(_spread(way.first_answer, "s", 2) for way in ways)
    yield "one image", *(_spread(way.image, "ms", 1) for way in ways)
    folder = f"folder of {benchmark.folder_images}, whole process"
    yield folder, *(_spread(way.folder, "images/s", 1) for way in ways)
    yield "the same after its first answer", *(_rate(way, benchmark.folder_images) for way in ways)
    yield "peak memory, one image", *(_peak(way, 1) for way in ways)
    yield "peak memory, folder", *(_peak(way, benchmark.folder_images) for way in ways)
    yield "million MACs an image", *(_millions(way, "macs") for way in ways)
    yield "million parameters", *(_millions(way, "parameters") for way in ways)
    ratios = [benchmark.ratios(baseline) for baseline in benchmark.baselines]
    if ratios:
        yield ()
        yield "Lesion is better by", "", *(baseline.name for baseline in benchmark.baselines)
        for name, title in _RATIOS.items():
            yield title, "", *(f"{each[name]:.1f}x" if name in each else "-" for each in ratios)


_RATIOS = {
    "first_answer": "first answer",
    "image": "one image",
    "folder": "folder",
    "running_rate": "folder after the first answer",
    "peak_memory": "peak memory",
}


def _stages(benchmark: Benchmark) -> str:
    stages = ", ".join(f"{stage} {milliseconds:.2f}" for stage, milliseconds in benchmark.stages.items())
    return f"One image, milliseconds by stage (medians): {stages}"


def _memory(benchmark: Benchmark) -> Iterator[Sequence[str]]:
    peaks = benchmark.lesion.peak_bytes
    if not peaks:
        yield ("Peak memory: this system does not tell",)
        return
    yield "images in one process", *(f"{count:,}" for count in peaks)
    yield "peak memory", *(_peak(benchmark.lesion, count) for count in peaks)


def _effects(benchmark: Benchmark) -> str:
    found = benchmark.effects
    if not found:
        return ""
    return f"One image gets faster by {', '.join(f'{name}: {times:.1f}x' for name, times in found.items())}"


def _floor(benchmark: Benchmark) -> str:
    floor, image = benchmark.floor, benchmark.lesion.image
    multiplications = ", ".join(
        f"{stage} {macs / 1e6:.0f} million MACs at {floor.rates[stage] / 1e9:.1f} thousand million a second "
        f"({_RATES[benchmark.bundle['precision'][stage] == 'int8']})"
        for stage, macs in floor.macs.items()
    )
    text = (
        f"Floor: {multiplications}, {floor.decode:.2f} ms of decoding: {floor.milliseconds:.1f} ms an image"
    )
    return text + (f"; measured are {image.median / floor.milliseconds:.2f} times that" if image else "")


_RATES = {False: "a product of float32 matrices in NumPy", True: "1x1 convolutions in int8 in LiteRT"}


def _millions(way: Way, figure: str) -> str:
    total = way.total(figure)
    return (
        "-" if total is None else f"{total / 1e6:,.2f}" if figure == "parameters" else f"{total / 1e6:,.0f}"
    )


def _spread(spread: Spread | None, unit: str, digits: int) -> str:
    if spread is None:
        return "-"
    return f"{spread.median:.{digits}f} {unit} ({spread.minimum:.{digits}f}-{spread.maximum:.{digits}f})"


def _rate(way: Way, images: int) -> str:
    rate = way.running_rate(images)
    return "-" if rate is None else f"{rate:.1f} images/s"


def _peak(way: Way, images: int) -> str:
    return f"{way.peak_bytes[images] / MEGABYTE:.0f} MB" if images in way.peak_bytes else "-"


def _aligned(rows: Iterable[Sequence[str]]) -> str:
    table = list(rows)
    columns = max(map(len, table))
    widths = [
        max((len(row[column]) for row in table if column < len(row)), default=0) for column in range(columns)
    ]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in table
    )
