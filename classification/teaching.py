"""Distillation: answers of trained classifiers as a part of the targets (Hinton et al. 2015, arXiv 1503.02531)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from classification.model import load_classifier
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
        Of the images; a teacher that drew rare classes more often is taken to have learned from classes as frequent.

    Returns
    -------
    float32 array (N, C), rows sum to 1

    Raises
    ------
    RunError
        If a teacher does not know a class.
    """
    natural = [
        in_other_shares(_answers(run, batches_of, classes), labels, _sampling_of(run), "natural")
        for run in teachers
    ]
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


def _sampling_of(run: Run) -> str:
    imbalance: str = run.config.get("settings", {}).get("imbalance", "natural")
    return imbalance if imbalance in SAMPLINGS else "natural"


def _answers(
    run: Run, batches_of: Callable[[int], ClassificationBatches], classes: Sequence[str]
) -> np.ndarray:
    known = run.metrics["classes"]
    if strange := [name for name in classes if name not in known]:
        raise RunError(f"{run.folder} does not know {', '.join(strange)}; give teachers of the same classes.")
    model = load_classifier(run)
    batches = batches_of(model.input_shape[1])
    places, temperature = [known.index(name) for name in classes], run.metrics["temperature"]
    answers = []
    for index in tracked(range(len(batches)), "asking the teachers"):
        flips = flips_of(batches[index][0])
        logits = np.mean([model.predict_on_batch(np.ascontiguousarray(flip)) for flip in flips], axis=0)
        answers.append(logits[:, places] / temperature)
    probabilities: np.ndarray = softmax(np.concatenate(answers), axis=1)
    return probabilities


def in_other_shares(answers: np.ndarray, labels: np.ndarray, known: str, wanted: str) -> np.ndarray:
    """Answers (N, C) of a network that learned from one sampling as one that learned from another would give them.

    Probabilities hold the shares in which the classes were drawn: each is multiplied by the weight of its class in the
    wanted draw and divided by that in the known one, and rows sum to 1 again (Saerens et al. 2002, Neural Computation
    14:21, equation 2.4).

    Parameters
    ----------
    answers : float array (N, C), rows sum to 1
    labels : int array
        Of the images that are drawn, in which every class occurs.
    known, wanted : "natural", "square-root" or "balanced"
    """
    if known == wanted:
        return answers
    shifted: np.ndarray = answers * _class_weights(labels, wanted) / _class_weights(labels, known)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted.astype(np.float32)


def _class_weights(labels: np.ndarray, sampling: str) -> np.ndarray:
    """Weight (C,) of an image of each class in the draw."""
    classes, firsts = np.unique(labels, return_index=True)
    weights = sampling_weights(labels, sampling)
    return np.ones(len(classes)) if weights is None else weights[firsts]


def taught_targets(labels: np.ndarray, answers: np.ndarray, teaching: float) -> np.ndarray:
    """Targets (N, C): the labels one-hot, mixed with the teachers' answers (N, C) by the part `teaching`."""
    known: np.ndarray = np.eye(answers.shape[1], dtype=np.float32)[labels]
    return (1 - teaching) * known + teaching * answers
