"""Training on several devices of one machine, each with an equal part of every batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras

from segmentation.engine.run_folder import RunError

BACKENDS = ("tensorflow", "jax")


def check_devices(count: int, batch_size: int) -> None:
    """Raise RunError where there are not so many devices, or a batch can't be divided among them."""
    if count == 1:
        return
    if keras.backend.backend() not in BACKENDS:
        raise RunError(f"KERAS_BACKEND={keras.backend.backend()} trains on one device; leave out --devices.")
    found = keras.distribution.list_devices()
    if count > len(found):
        mend = f"give --devices {len(found)} or less" if len(found) > 1 else "leave out --devices"
        raise RunError(f"there are no {count} devices here, only {', '.join(found)}; {mend}.")
    if batch_size % count:
        raise RunError(
            f"batches of {batch_size} images can't be divided among {count} devices; give a --batch-size that is a "
            f"multiple of {count}."
        )


@contextmanager
def spread_over(count: int) -> Iterator[None]:
    """Let the models that are built and trained meanwhile use so many devices.

    GPUs, or processors where there are none: on TensorFlow by its `MirroredStrategy`, on JAX by Keras's `DataParallel`.
    One device is used as without this.
    """
    if count == 1:
        yield
        return
    with _distribution(count).scope():
        yield


@cache
def _distribution(count: int) -> Any:
    """Made once: a second strategy of TensorFlow in a process meets the first one's operations of the same number."""
    devices = keras.distribution.list_devices()[:count]
    if keras.backend.backend() != "tensorflow":
        return keras.distribution.DataParallel(devices=devices)
    import tensorflow as tf  # noqa: PLC0415 - JAX does without it

    return tf.distribute.MirroredStrategy(devices)


def replicas() -> int:
    """Copies of the model that TensorFlow trains; JAX has one model whose batches lie on several devices."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf  # noqa: PLC0415 - JAX does without it

    return int(tf.distribute.get_strategy().num_replicas_in_sync)
