"""The `lesion benchmark` command."""

# ruff: noqa: PLC0415 - each command imports what it needs, so that none waits for another's libraries

import json
from dataclasses import replace
from typing import Annotated

import typer

from pipeline.cli.console import hint, stopping_on
from pipeline.cli.options import BundleOption, JsonOption

EXAMPLE = "Example: lesion benchmark --quick"


def benchmark(
    bundle: BundleOption = None,
    as_json: JsonOption = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A folder of 100 images and fewer runs: rough figures in a minute."),
    ] = False,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines/--no-baselines", help="Do the same work with Keras and PyTorch where installed."
        ),
    ] = True,
) -> None:
    """Measure speed and memory on this machine, side by side with Keras and PyTorch where they are installed.

    Whole processes are timed from outside: from their start to a first answer, and over a folder of 1,000 drawn
    images. It takes about ten minutes; other work on the machine spoils the figures.
    """
    from pipeline.benchmark.measuring import QUICK, BenchmarkPlan, run_benchmark
    from pipeline.benchmark.printing import to_text
    from pipeline.benchmark.processes import ProcessError
    from pipeline.bundle.loading import BundleError, load_bundle

    plan = QUICK if quick else BenchmarkPlan()
    with stopping_on(BundleError, ProcessError):
        found = run_benchmark(
            load_bundle(bundle),
            plan if baselines else replace(plan, baselines=(), float32=False),
            announce=lambda step: hint(f"measuring {step}"),
        )
    print(json.dumps(found.to_dict(), indent=2) if as_json else to_text(found))
