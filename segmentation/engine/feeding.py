"""Batches in the form in which the backend's training loop takes them without waiting."""

from collections.abc import Iterator
from typing import Any

import keras

AHEAD = 2


def fed(batches: keras.utils.PyDataset) -> Any:
    """What `fit` shall be given: on TensorFlow a `tf.data.Dataset` of the batches, else the batches themselves.

    From a `PyDataset` Keras makes a dataset that TensorFlow tunes as it runs; the tuner's thread looks up at growing
    intervals only, and at an epoch's end the training waits for it, up to a minute. Here nothing is tuned: a thread
    keeps two batches ahead.

    Parameters
    ----------
    batches : PyDataset
        Tuples of arrays that differ in their first axis at most.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf  # noqa: PLC0415 - other backends do without it

    def generate() -> Iterator[tuple[Any, ...]]:
        for index in range(len(batches)):
            yield batches[index]

    signature = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batches[0])
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    counted = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    return counted.prefetch(AHEAD).with_options(options)
