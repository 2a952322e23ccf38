"""Starting weights: a classifier that goes on from what another one has learned, for the same or for other classes."""

from collections.abc import Sequence

import keras
import numpy as np

from segmentation.engine.run_folder import RunError


def start_from(
    model: keras.Model, source: keras.Model, classes: Sequence[str], known: Sequence[str]
) -> list[str]:
    """Give a classifier the weights of another one of the same width.

    The head keeps what it knows of the classes that both have; it learns the others anew.

    Parameters
    ----------
    model, source : keras.Model
        From `build_classifier`; their input sides may differ.
    classes, known : of `model` and of `source`

    Returns
    -------
    The classes of `model` that `source` does not know.

    Raises
    ------
    RunError
        If the networks differ in more than their classes.
    """
    encoder, learned = model.get_layer("encoder"), source.get_layer("encoder")
    shapes = [[weights.shape for weights in layer.get_weights()] for layer in (encoder, learned)]
    if shapes[0] != shapes[1]:
        raise RunError("the network to start from has another encoder; give the same --width and --encoder.")
    encoder.set_weights(learned.get_weights())
    head = model.get_layer("logits")
    kernel, bias = (np.array(values) for values in head.get_weights())
    learned_kernel, learned_bias = source.get_layer("logits").get_weights()
    for place, name in enumerate(classes):
        if name in known:
            kernel[:, place] = learned_kernel[:, list(known).index(name)]
            bias[place] = learned_bias[list(known).index(name)]
    head.set_weights([kernel, bias])
    return [name for name in classes if name not in known]
