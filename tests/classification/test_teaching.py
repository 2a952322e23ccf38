"""Teachers' answers become a part of the targets."""

from pathlib import Path

import numpy as np
import pytest

from classification.priors import ClassPrior
from classification.teaching import (
    class_draws,
    in_other_shares,
    kept_answers,
    taught_targets,
    teachers_answers,
)
from data.batches import SAMPLINGS, ClassificationBatches
from segmentation.engine.run_folder import RunError

LABELS = np.array([0, 1, 2])
CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def batches_of(side: int) -> ClassificationBatches:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    return ClassificationBatches(images, np.array([0, 1, 2]), 7, side, 2)


def test_answers_are_probabilities_of_the_students_classes(classification_run) -> None:
    some = teachers_answers([classification_run], batches_of, CLASSES[:3], LABELS)
    all_of_them = teachers_answers([classification_run] * 2, batches_of, CLASSES, np.arange(7))
    assert some.sum(axis=1) == pytest.approx(1, abs=1e-5)
    kept = all_of_them[:, :3]
    assert some == pytest.approx(kept / kept.sum(axis=1, keepdims=True), rel=1e-3)


def test_a_teacher_must_know_all_classes(classification_run) -> None:
    with pytest.raises(RunError, match="does not know scc; give teachers of the same classes"):
        teachers_answers([classification_run], batches_of, (*CLASSES, "scc"), LABELS)


def test_a_resumed_training_does_not_ask_again(tmp_path: Path) -> None:
    asked = []

    def ask() -> np.ndarray:
        asked.append(1)
        return np.array([[0.25, 0.75]], np.float32)

    first, second = (kept_answers(tmp_path / "answers.npy", (1, 2), ask) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(asked) == 1


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_kept_answers_that_are_damaged_are_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "answers.npy").write_bytes(content)
    with pytest.raises(RunError, match=r"answers\.npy is damaged; remove it"):
        kept_answers(tmp_path / "answers.npy", (1, 2), lambda: np.zeros((1, 2), np.float32))


def test_kept_answers_about_other_images_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "answers.npy", np.zeros((3, 2), np.float32))
    with pytest.raises(
        RunError, match=r"answers\.npy holds no answers about 4 images in 2 classes; remove it"
    ):
        kept_answers(tmp_path / "answers.npy", (4, 2), lambda: np.zeros((4, 2), np.float32))


def test_answers_follow_the_shares_in_which_classes_are_drawn() -> None:
    labels = np.repeat([0, 1], [90, 10])
    answers = np.tile(np.array([[0.9, 0.1]], np.float32), (100, 1))
    natural, square_root, balanced = (class_draws(labels, each) for each in SAMPLINGS)
    assert natural.tolist() == [1, 1]
    assert in_other_shares(answers, natural, balanced) == pytest.approx(np.full((100, 2), 0.5), abs=1e-6)
    drawn = in_other_shares(answers, natural, square_root)
    assert drawn == pytest.approx(np.tile([[0.75, 0.25]], (100, 1)), abs=1e-6)
    assert in_other_shares(drawn, square_root, natural) == pytest.approx(answers, abs=1e-6)


def test_a_source_that_is_drawn_more_often_changes_its_classes_draws() -> None:
    labels, weights = np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 4.0, 1.0])
    assert class_draws(labels, "natural", weights).tolist() == [2, 1]
    assert class_draws(labels, "balanced", weights) == pytest.approx([1 / 3, 1])


def test_a_teacher_that_drew_rare_classes_more_often_answers_in_natural_shares(
    classification_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.array([0, 0, 0, 0, 1, 2])
    monkeypatch.setattr("classification.teaching.ClassPrior.from_metrics", lambda _: None)
    answers = []
    for imbalance in ("none", "balanced"):
        settings = {**classification_run.config["settings"], "imbalance": imbalance}
        monkeypatch.setitem(classification_run.config, "settings", settings)
        answers.append(teachers_answers([classification_run], batches_of, CLASSES[:3], labels))
    natural = answers[1] * [1, 4, 4]
    assert answers[0] == pytest.approx(natural / natural.sum(axis=1, keepdims=True), rel=1e-3)


def test_a_teacher_that_knows_its_prior_answers_with_all_of_the_shares(
    classification_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior = ClassPrior.from_metrics(classification_run.metrics)
    assert prior is not None
    answers = [teachers_answers([classification_run], batches_of, CLASSES, np.arange(7))]
    monkeypatch.setattr("classification.teaching.ClassPrior.from_metrics", lambda _: None)
    monkeypatch.setitem(classification_run.config["settings"], "imbalance", "none")
    answers.append(teachers_answers([classification_run], batches_of, CLASSES, np.arange(7)))
    temperature = classification_run.metrics["temperature"]
    shifted = answers[1] * np.exp((prior.shares - prior.learned) / temperature)
    assert answers[0] == pytest.approx(shifted / shifted.sum(axis=1, keepdims=True), rel=1e-2)


def test_targets_mix_labels_and_answers() -> None:
    answers = np.array([[0.6, 0.4]], np.float32)
    assert taught_targets(np.array([1]), answers, 0.25) == pytest.approx(np.array([[0.15, 0.85]]))
