"""Starting weights: a classifier that goes on from what another one has learned, for the same or for other classes."""

from collections.abc import Sequence

import keras
import numpy as np

from segmentation.engine.run_folder import Run, RunError


def mean_classifier(runs: Sequence[Run]) -> keras.Model:
    """The network whose weights are the mean of those of the runs' networks (Wortsman et al. 2022, arXiv 2203.05482).

    That is of use where the runs went on from one another. The statistics of the batch normalisation are averaged, too,
    which is not what the mean network would see of images: train it for an epoch at a small learning rate.

    Parameters
    ----------
    runs : one or more classification runs

    Raises
    ------
    RunError
        If the runs differ in their classes or their networks.
    """
    first, *others = runs
    network = keras.models.load_model(first.model_path, compile=False)
    kept = [network.get_weights()]
    for run in others:
        weights = keras.models.load_model(run.model_path, compile=False).get_weights()
        same = [values.shape for values in weights] == [values.shape for values in kept[0]]
        if not same or run.metrics["classes"] != first.metrics["classes"]:
            raise RunError(
                f"{run.folder} has another network or other classes than {first.folder}, so that there is no mean of "
                "both; leave it out."
            )
        kept.append(weights)
    network.set_weights([np.mean(values, axis=0) for values in zip(*kept, strict=True)])
    return network


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
