"""A training on two devices is the training on one: the same losses in every epoch and the same weights."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BACKENDS = [name for name in ("tensorflow", "jax") if importlib.util.find_spec(name)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_devices_train_as_one_does(backend: str, tmp_path: Path) -> None:
    surroundings = {"KERAS_BACKEND": backend, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    script = Path(__file__).with_name("two_devices.py")
    found = subprocess.run(
        [sys.executable, script, tmp_path],
        env={**os.environ, **surroundings},
        capture_output=True,
        check=True,
    )
    trainings = json.loads(found.stdout.splitlines()[-1])
    assert len(trainings) == 2
    for one, two in trainings.values():
        for epoch, same_epoch in zip(one["history"], two["history"], strict=True):
            assert same_epoch == pytest.approx(epoch, abs=1e-5)
        np.testing.assert_allclose(one["weights"], two["weights"], atol=1e-5)
        assert np.ptp([epoch["loss"] for epoch in one["history"]]) > 0.01
