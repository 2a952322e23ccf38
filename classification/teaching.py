"""Distillation: answers of trained classifiers as a part of the targets (Hinton et al. 2015, arXiv 1503.02531)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from classification.model import load_classifier
from classification.priors import ClassPrior
from classification.test_time_augmentation import flips_of
from data.batches import SAMPLINGS, ClassificationBatches, sampling_weights
from data.files import replacing
from data.progress import tracked
from segmentation.engine.run_folder import Run, RunError


def teachers_answers(
    teachers: Sequence[Run],
    batches_of: Callable[[int], ClassificationBatches],
    classes: Sequence[str],
    labels: np.ndarray,
) -> np.ndarray:
    """Mean probability of each class over the teachers and over the flips of each image, in the labels' own shares.

    Parameters
    ----------
    teachers : classification runs
        Each must know all of `classes`; what it says of others is left out.
    batches_of : function (input side) -> ClassificationBatches
        The images as they are, in their order.
    classes : the student's
    labels : int array (N,)
        Of the images; a teacher of an earlier version that drew rare classes more often is taken to have learned from
        classes as frequent.

    Returns
    -------
    float32 array (N, C), rows sum to 1

    Raises
    ------
    RunError
        If a teacher does not know a class.
    """
    natural = [_answers(run, batches_of, classes, labels) for run in teachers]
    answers: np.ndarray = np.mean(natural, axis=0)
    return answers.astype(np.float32)


def kept_answers(path: Path, shape: tuple[int, int], ask: Callable[[], np.ndarray]) -> np.ndarray:
    """What `ask` answers, (N, C), kept in a `.npy` file for a training that is resumed: asking may take as long as it.

    Raises
    ------
    RunError
        If the file is damaged, or is about other images or classes.
    """
    if path.exists():
        try:
            known: np.ndarray = np.load(path)
        except (EOFError, ValueError) as error:
            raise RunError(f"{path} is damaged; remove it, and the teachers are asked again.") from error
        if known.shape != shape:
            raise RunError(
                f"{path} holds no answers about {shape[0]} images in {shape[1]} classes; remove it, and the teachers "
                "are asked again."
            )
        return known
    answers = ask()
    with replacing(path) as temporary:
        np.save(temporary, answers)
    return answers


def _answers(
    run: Run,
    batches_of: Callable[[int], ClassificationBatches],
    classes: Sequence[str],
    labels: np.ndarray,
) -> np.ndarray:
    known = run.metrics["classes"]
    if strange := [name for name in classes if name not in known]:
        raise RunError(f"{run.folder} does not know {', '.join(strange)}; give teachers of the same classes.")
    knows_its_shares = ClassPrior.from_metrics(run.metrics) is not None
    model = load_classifier(run, 1.0 if knows_its_shares else None)
    batches = batches_of(model.input_shape[1])
    places, temperature = [known.index(name) for name in classes], run.metrics["temperature"]
    answers = []
    for index in tracked(range(len(batches)), "asking the teachers"):
        flips = flips_of(batches[index][0])
        logits = np.mean([model.predict_on_batch(np.ascontiguousarray(flip)) for flip in flips], axis=0)
        answers.append(logits[:, places] / temperature)
    probabilities: np.ndarray = softmax(np.concatenate(answers), axis=1)
    if knows_its_shares:
        return probabilities
    return in_other_shares(probabilities, class_draws(labels, _sampling_of(run)), np.ones(len(classes)))


def _sampling_of(run: Run) -> str:
    imbalance: str = run.config.get("settings", {}).get("imbalance", "natural")
    return imbalance if imbalance in SAMPLINGS else "natural"


def in_other_shares(answers: np.ndarray, known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Answers (N, C) of a network that learned from one draw as one that learned from another would give them.

    Probabilities hold the shares in which the classes were drawn: each is multiplied by the weight of its class in the
    wanted draw and divided by that in the known one, and rows sum to 1 again (Saerens et al. 2002, Neural Computation
    14:21, equation 2.4).

    Parameters
    ----------
    answers : float array (N, C), rows sum to 1
    known, wanted : float arrays (C,)
        From `class_draws`.
    """
    shifted: np.ndarray = answers * wanted / known
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted.astype(np.float32)


def class_draws(labels: np.ndarray, sampling: str, image_weights: np.ndarray | None = None) -> np.ndarray:
    """How often an image of each class (C,) is drawn, on average over the class; all 1 where it is as it is.

    Parameters
    ----------
    labels : int array (N,)
        Of the images that are drawn, in which every class occurs.
    sampling : "natural", "square-root" or "balanced"
    image_weights : float array (N,), optional
        See `data.batches.sampling_weights`.
    """
    weights = sampling_weights(labels, sampling, image_weights)
    draws: np.ndarray = np.bincount(labels, weights=weights) / np.bincount(labels)
    return draws


def taught_targets(labels: np.ndarray, answers: np.ndarray, teaching: float) -> np.ndarray:
    """Targets (N, C): the labels one-hot, mixed with the teachers' answers (N, C) by the part `teaching`."""
    known: np.ndarray = np.eye(answers.shape[1], dtype=np.float32)[labels]
    return (1 - teaching) * known + teaching * answers
