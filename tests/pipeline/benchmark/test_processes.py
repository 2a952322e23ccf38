"""Processes are timed and weighed from outside, and one that fails says why."""

import sys

import numpy as np
import pytest

from pipeline.benchmark.processes import ProcessError, python_module, run_process

MEGABYTE = 2**20


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def test_a_run_tells_its_seconds_and_its_last_line():
    run = run_process(python("import time; time.sleep(0.3); print('first'); print('{\"seconds\": [1, 2]}')"))

    assert 0.3 <= run.seconds < 30
    assert run.figures() == {"seconds": [1, 2]}


def test_memory_is_the_peak_of_the_process_and_not_of_the_one_that_measures():
    ballast = np.ones(100 * MEGABYTE, np.uint8)
    small = run_process(python("pass"))
    large = run_process(python(f"bytearray(200 * {MEGABYTE}); print('gone again')"))

    assert small.peak_bytes is not None and large.peak_bytes is not None
    assert small.peak_bytes < 60 * MEGABYTE < ballast.nbytes
    assert 200 * MEGABYTE < large.peak_bytes < 260 * MEGABYTE


def test_memory_counts_the_children_that_a_process_waits_for():
    child = f"bytearray(150 * {MEGABYTE})"
    run = run_process(python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"))

    assert run.peak_bytes is not None
    assert run.peak_bytes > 150 * MEGABYTE


def test_a_process_that_fails_is_an_error_with_its_last_words():
    with pytest.raises(ProcessError, match=r"^ValueError: too small$"):
        run_process(python("print('all well'); raise ValueError('too small')"))


def test_a_process_that_takes_too_long_is_ended():
    with pytest.raises(ProcessError, match="ended with status -9"):
        run_process(python("import time; time.sleep(60)"), timeout=0.5)


def test_a_module_runs_with_this_interpreter():
    assert python_module("json.tool", "a", 3) == [sys.executable, "-m", "json.tool", "a", "3"]
