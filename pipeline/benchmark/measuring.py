"""Measures Lesion and its baselines in turn."""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.benchmark.baseline_work import Sizes
from pipeline.benchmark.baselines import BASELINES, Baseline, OtherBundle
from pipeline.benchmark.bundle_facts import bundle_facts, floor_of, work_of
from pipeline.benchmark.effects import FLOAT32, LESION
from pipeline.benchmark.figures import Benchmark, Spread, Way
from pipeline.benchmark.folders import example_images, fill_folder
from pipeline.benchmark.machine import machine_facts
from pipeline.benchmark.processes import ProcessError, ProcessRun, python_module, run_process
from pipeline.benchmark.stages import STAGES, StageTimer, time_images
from pipeline.bundle.loading import Bundle, load_bundle


@dataclass(frozen=True)
class BenchmarkPlan:
    """How much is measured.

    Attributes
    ----------
    starts : number of processes that give a first answer, after one that doesn't count
    images : number of images that are timed one by one
    folder : number of images in the timed folder
    folders : how often Lesion predicts that folder; the baselines do it once
    memory : numbers of images at which the peak of memory is taken, beside that of the folder
    baselines : the software to compare with
    float32 : whether an int8 bundle is compared with its own networks in float32
    """

    starts: int = 5
    images: int = 120
    folder: int = 1000
    folders: int = 3
    memory: tuple[int, ...] = (10, 100, 10_000)
    baselines: tuple[Baseline, ...] = BASELINES
    float32: bool = True


QUICK = BenchmarkPlan(starts=3, images=60, folder=100, folders=1, memory=(10,))


def run_benchmark(
    bundle: Bundle, plan: BenchmarkPlan, announce: Callable[[str], object] | None = None
) -> Benchmark:
    """Measure a bundle, and the baselines that are installed, on this machine.

    Parameters
    ----------
    bundle : Bundle
    plan : BenchmarkPlan
    announce : called with what is measured next

    Raises
    ------
    ProcessError
        If `lesion predict` fails.
    """
    say = announce or (lambda _: None)
    with tempfile.TemporaryDirectory(prefix="lesion-benchmark-") as folder:
        measuring = _Measuring(bundle, plan, Path(folder), say)
        if plan.float32:
            measuring.add_float32()
        measuring.first_answers()
        stages = measuring.single_images()
        measuring.folders()
        measuring.memory()
        say("the machine")
        return Benchmark(
            machine=machine_facts(),
            bundle=bundle_facts(bundle),
            lesion=measuring.lesion.way(LESION),
            stages=stages,
            baselines=tuple(
                measured.way(baseline.name) for baseline, measured in measuring.baselines.items()
            ),
            missing=measuring.missing,
            folder_images=plan.folder,
            floor=floor_of(bundle, stages["decode"]),
        )


@dataclass
class _Measurements:
    """What has been measured of one way so far."""

    first_answers: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    folders: list[float] = field(default_factory=list)
    peak_bytes: dict[int, int] = field(default_factory=dict)
    work: dict[str, dict[str, int]] = field(default_factory=dict)

    def add_peak(self, images: int, run: ProcessRun) -> None:
        if run.peak_bytes is not None:
            self.peak_bytes[images] = max(run.peak_bytes, self.peak_bytes.get(images, 0))

    def way(self, name: str) -> Way:
        return Way(
            name,
            first_answer=Spread.of(self.first_answers),
            image=Spread.of(self.images),
            folder=Spread.of(self.folders),
            peak_bytes=dict(sorted(self.peak_bytes.items())),
            work=self.work,
        )


class _Measuring:
    """One run of the benchmark."""

    def __init__(
        self, bundle: Bundle, plan: BenchmarkPlan, folder: Path, say: Callable[[str], object]
    ) -> None:
        self._bundle, self._plan, self._folder, self._say = bundle, plan, folder, say
        (height, width, _), (view_height, view_width, _) = (
            bundle.segmentation.input_shape,
            bundle.classification.input_shape,
        )
        self._sizes = Sizes((height, width), (view_height, view_width), len(bundle.classes))
        self.missing = {
            baseline.name: f"{', '.join(baseline.missing)} not installed"
            for baseline in plan.baselines
            if baseline.missing
        }
        self.lesion = _Measurements(work=work_of(bundle))
        self.baselines: dict[Baseline | OtherBundle, _Measurements] = {
            baseline: _Measurements() for baseline in plan.baselines if not baseline.missing
        }

    def add_float32(self) -> None:
        """Put the bundle's own networks in float32 before the baselines, where int8 can be told from them."""
        if "int8" not in (self._bundle.segmentation.precision, self._bundle.classification.precision):
            return
        self._say("the bundle in float32")
        variant = OtherBundle(FLOAT32, self._folder / "float32")
        try:
            run_process(
                python_module("pipeline.benchmark.float32_variant", self._bundle.folder, variant.folder)
            )
        except ProcessError as error:
            self.missing[variant.name] = str(error)
        else:
            work = work_of(load_bundle(variant.folder))
            self.baselines = {variant: _Measurements(work=work), **self.baselines}

    def first_answers(self) -> None:
        """Whole processes with one image: all ways in turn, so that a slower minute of the machine hits them alike."""
        images = self._images(1)
        for number in range(self._plan.starts + 1):
            counted = number > 0  # the first one brings the software from the disk into the system's cache
            self._say(f"first answers, {number} of {self._plan.starts}")
            run = self._predict(images)
            if counted:
                self.lesion.first_answers.append(run.seconds)
                self.lesion.add_peak(1, run)
            for measured, run in self._baseline_runs(images, count=1, whole_processes=True):
                if counted:
                    measured.first_answers.append(run.seconds)
                    measured.add_peak(1, run)

    def single_images(self) -> dict[str, float]:
        """Single images in a warm process; returns Lesion's median milliseconds by stage."""
        contents = [image.read_bytes() for image in example_images()]
        self._say("single images")
        split = time_images(StageTimer(self._bundle), contents, self._plan.images)
        self.lesion.images += [1000 * sum(stages.values()) for stages in split]
        for measured, run in self._baseline_runs(self._images(len(contents)), self._plan.images):
            figures = run.figures()
            measured.images += [1000 * seconds for seconds in figures["seconds"]]
            measured.work = figures.get("work", measured.work)
        return {stage: 1000 * statistics.median(stages[stage] for stages in split) for stage in STAGES}

    def folders(self) -> None:
        """Whole processes with a folder of images."""
        count = self._plan.folder
        images = self._images(count)
        for number in range(self._plan.folders):
            self._say(f"{count} images, {number + 1} of {self._plan.folders}")
            run = self._predict(images)
            self.lesion.folders.append(count / run.seconds)
            self.lesion.add_peak(count, run)
        for measured, run in self._baseline_runs(images, count=0, whole_processes=True):
            measured.folders.append(count / run.seconds)
            measured.add_peak(count, run)

    def memory(self) -> None:
        """The peak of memory at other numbers of images."""
        for count in self._plan.memory:
            self._say(f"memory at {count} images")
            self.lesion.add_peak(count, self._predict(self._images(count)))

    def _predict(self, images: Path) -> ProcessRun:
        return run_process(python_module("pipeline.cli", "predict", images, "--bundle", self._bundle.folder))

    def _baseline_runs(
        self, images: Path, count: int, whole_processes: bool = False
    ) -> Iterator[tuple[_Measurements, ProcessRun]]:
        """A run of each baseline, or of those whose whole processes are timed; one that fails is left out later."""
        for baseline in [
            baseline for baseline in self.baselines if baseline.whole_processes or not whole_processes
        ]:
            self._say(f"the same with {baseline.name}")
            try:
                run = run_process(baseline.command(images, self._sizes, count))
            except ProcessError as error:
                self.missing[baseline.name] = str(error)
                del self.baselines[baseline]
            else:
                yield self.baselines[baseline], run

    def _images(self, count: int) -> Path:
        folder = self._folder / str(count)
        return folder if folder.exists() else fill_folder(folder, count)
