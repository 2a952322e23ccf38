"""A training on several devices is refused before it starts where it can't be."""

import keras
import pytest

from segmentation.engine.devices import check_devices, replicas, spread_over
from segmentation.engine.run_folder import RunError


@pytest.fixture(autouse=True)
def two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1"])


def test_two_devices_share_a_batch_of_even_size() -> None:
    check_devices(2, 32)


def test_more_devices_than_there_are_can_not_be_had() -> None:
    with pytest.raises(RunError, match=r"no 3 devices here, only gpu:0, gpu:1; give --devices 2 or less"):
        check_devices(3, 33)


def test_a_batch_must_be_divisible() -> None:
    with pytest.raises(RunError, match=r"batches of 31 images .* --batch-size that is a multiple of 2"):
        check_devices(2, 31)


def test_one_device_needs_nothing() -> None:
    check_devices(1, 31)
    with spread_over(1):
        assert replicas() == 1
