"""Train the classifier, on full images or on crops."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from classification.calibration import fit_temperature
from classification.config import ClassificationConfig
from classification.encoders import ENCODERS
from classification.figures import classification_figure
from classification.labelled import labelled_images
from classification.losses import loss_for
from classification.metrics import ClassificationScores
from classification.model import build_classifier, with_activation_map
from classification.ood import OODDetector
from classification.priors import ClassPrior, learned_log_shares, likeliest, log_shares, prior_strengths
from classification.starting import mean_classifier, start_from
from classification.teaching import (
    class_draws,
    in_other_shares,
    kept_answers,
    taught_targets,
    teachers_answers,
)
from classification.test_time_augmentation import AGAIN, after_second_look, confidence_of_part, flips_of
from classification.training_images import TrainingImages, check_boxes
from data.batches import ClassificationBatches
from data.files import replacing, sha256
from data.splits import training_parts
from segmentation.engine.curves import save_figure, training_curves
from segmentation.engine.devices import check_devices
from segmentation.engine.fitting import FitState, fit, remove_cache
from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import Run, RunError, keep_earlier_splits, start_run
from segmentation.engine.schedule import adam_with_cosine, compile_for_backend
from segmentation.engine.starting import check_encoder, check_phases
from segmentation.locating import Locator, RunLocator
from segmentation.training import CALIBRATION_SAMPLES, VALIDATION_SAMPLES, splits_of_run

ABSTAINING_PART = 0.1
MONITORS = {"macro-f1": "val_macro_f1", "loss": "val_loss"}
EXAMPLES = 32


def train(
    catalog: pd.DataFrame,
    config: ClassificationConfig,
    output: str | Path,
    *,
    segmentation: Run | Locator | None = None,
    splits: pd.DataFrame | None = None,
    start: Run | None = None,
    averaged: Sequence[Run] = (),
    teachers: Sequence[Run] = (),
    devices: int = 1,
    resume: bool = False,
) -> dict[str, Any]:
    """Train the classifier on the catalog's images that have a diagnosis.

    Parameters
    ----------
    catalog : DataFrame
        From `load_dataset` or `load_datasets`.
    config : ClassificationConfig
    output : path
        The run folder.
    segmentation : segmentation run or Locator, optional
        Finds the boxes where the configuration wants predicted ones.
    start : Run, optional
        A classification run whose weights this training starts from; classes that it does not know are learned anew.
    averaged : classification runs
        Of the same classes and network as `start`: the training starts from the mean of all their weights.
    teachers : classification runs
        What they say of the training images becomes a part of the targets, see `config.teaching`.
    splits : DataFrame, optional
        With `image_id` and `split`; by default that of the segmentation run where it holds all images, else a split by
        lesion; in either, no image that has taught the boxes serves as a test.
    devices : int
        Of this machine that share every batch.
    resume : bool
        Go on with the run in `output`.

    Returns
    -------
    dict
        What `metrics.json` holds: validation figures, classes, temperature, abstention threshold and speed.

    Raises
    ------
    DatasetError, ImageError, RunError
    """
    locator = RunLocator(segmentation) if isinstance(segmentation, Run) else segmentation
    labelled = labelled_images(catalog, config)
    check_boxes(config, labelled, locator)
    starts = () if start is None else (start, *averaged)
    _check(config, starts, devices)
    keras.utils.set_random_seed(config.seed)
    known = None if locator is None else locator.splits
    if splits is None and known is not None and labelled["image_id"].isin(known["image_id"]).all():
        splits = known
    splits = splits_of_run(labelled, splits, output, config.seed, beside=known)
    settings = asdict(config) | {
        "segmentation": None if locator is None else locator.identity,
        "start": None if start is None else sha256(start.model_path),
        "averaged": [sha256(run.model_path) for run in averaged],
        "teachers": [sha256(teacher.model_path) for teacher in teachers],
    }
    run = start_run(output, "classification", settings, labelled, splits, resume=resume)
    keep_earlier_splits(run, starts)
    images = TrainingImages(run, training_parts(labelled, run.splits, "diagnosis"), config, locator)
    labels = images.labels["train"]
    if teachers:
        answers = kept_answers(
            run.folder / "answers.npy",
            (len(labels), len(images.classes)),
            lambda: teachers_answers(
                teachers, lambda side: images.part("train", side), images.classes, labels
            ),
        )
        drawn = in_other_shares(
            answers,
            np.ones(len(images.classes)),
            class_draws(labels, config.sampling, images.image_weights),
        )
        images.targets = taught_targets(labels, drawn, config.teaching)
    state = fit(
        run,
        config.phases,
        build_model=lambda phase: _build(config, phase, images.classes, starts),
        make_batches=images.batches,
        compile_model=lambda model, phase, steps: _compile(
            config, loss_for(config, labels, images.image_weights), model, phase, steps
        ),
        monitor=MONITORS[config.monitor],
        patience=config.patience,
        devices=devices,
    )
    metrics = _finish(run, images, state)
    remove_cache(run)
    return metrics


def _check(config: ClassificationConfig, starts: Sequence[Run], devices: int) -> None:
    """Raise RunError for what can't be trained, before it costs the decoding of images."""
    check_phases(config.phases)
    check_encoder(config.encoder, ENCODERS)
    check_devices(devices, config.batch_size)
    if config.imbalance == "focal" and config.prior_strength is not None:
        raise RunError("--prior-strength has no meaning with --imbalance focal; leave out one of them.")
    if not starts and config.encoder_weights is not None:
        _build(config, config.phases[0], ("a", "b"), ())


def _compile(config: ClassificationConfig, loss: Any, model: keras.Model, phase: Phase, steps: int) -> None:
    compile_for_backend(
        model,
        optimizer=adam_with_cosine(phase, steps, config.weight_decay, config.average_decay),
        loss=loss,
        metrics=["accuracy", keras.metrics.F1Score(average="macro", name="macro_f1")],
    )


def _build(
    config: ClassificationConfig, phase: Phase, classes: tuple[str, ...], starts: Sequence[Run]
) -> keras.Model:
    model = build_classifier(
        len(classes),
        phase.input_size[0],
        None if starts else config.encoder_weights,
        encoder=config.encoder,
        width=config.width,
        dropout=config.dropout,
        frozen_encoder=phase.frozen_encoder,
        frozen_stride=phase.frozen_stride,
    )
    if starts:
        start_from(model, mean_classifier(starts), classes, starts[0].metrics["classes"])
    return model


def _finish(run: Run, images: TrainingImages, state: FitState) -> dict[str, Any]:
    """Calibrate and measure the best model on validation, and write figures and pictures."""
    model = keras.models.load_model(run.model_path, compile=False)
    batches, labels = images.part("validation", model.input_shape[1]), images.labels["validation"]
    lesions = images.parts["validation"]["lesion_id"].to_numpy()
    logits, maps = _flipped_outputs(model, batches)
    prior = _prior(images, logits[0])
    logits = logits + np.array(prior.get("prior_shift", 0.0))
    probabilities, figures = _calibrated(logits[0], labels, images.classes, lesions)
    averaged = logits.mean(axis=0)
    _, flips = _calibrated(averaged, labels, images.classes, lesions)
    temperature = figures["temperature"]
    below = confidence_of_part(logits[0], temperature, AGAIN)
    decided = after_second_look(logits[0], averaged, temperature, below)
    _, second_look = _calibrated(decided, labels, images.classes, lesions)
    views = [view for view in images.views.values() if view]
    metrics = {
        "interrupted": state.interrupted,
        "epochs": len(state.history),
        "input_side": model.input_shape[1],
        "classes": list(images.classes),
        "images_without_lesion_found": sum(view.fallbacks for view in views),
        **figures,
        **prior,
        "flips": flips,
        "second_look": {"below_confidence": below, **second_look},
        "familiarity": OODDetector.fit(logits[0], maps[0]).to_dict(),
        **state.speed,
    }
    run.write_metrics(metrics)
    calibration = images.part("train", model.input_shape[1]).sample(CALIBRATION_SAMPLES)
    run.write_samples(calibration=calibration, validation=batches.sample(VALIDATION_SAMPLES))
    _write_predictions(run, images.parts["validation"], images.classes, probabilities)
    save_figure(training_curves(state.history, MONITORS[images.config.monitor]), run.folder / "curves.png")
    codes, positions = np.array(images.classes), batches.spread(EXAMPLES)
    examples = [
        (
            image,
            codes[labels[position]],
            codes[probabilities[position].argmax()],
            probabilities[position].max(),
        )
        for image, position in zip(batches.sample(EXAMPLES), positions, strict=True)
    ]
    save_figure(classification_figure(examples), run.folder / "examples.png")
    return metrics


def _prior(images: TrainingImages, logits: np.ndarray) -> dict[str, Any]:
    """What the logits get of the classes' shares in validation, and what other strengths of it were worth."""
    config, labels, classes = images.config, images.labels, len(images.classes)
    learned = learned_log_shares(config.imbalance, labels["train"], classes, images.image_weights)
    if learned is None:
        return {}
    shares = log_shares(labels["validation"], classes)
    worths = prior_strengths(logits - learned, labels["validation"], shares)
    strength = config.prior_strength
    if strength is None and config.imbalance == "logit-adjustment":
        strength = likeliest(worths)
    return {**ClassPrior(learned, shares, strength).to_metrics(), "prior_strengths": worths}


def _flipped_outputs(model: keras.Model, batches: ClassificationBatches) -> tuple[np.ndarray, np.ndarray]:
    """Logits (4, N, C) and activation maps (4, N, h, w, C) of the images' flips, in the order of `flips_of`."""
    explained = with_activation_map(model)
    answers = [
        [explained.predict_on_batch(flip) for flip in flips_of(batches[index][0])]
        for index in range(len(batches))
    ]
    logits = [np.stack([logits for logits, _ in flips]) for flips in answers]
    maps = [np.stack([maps for _, maps in flips]) for flips in answers]
    return np.concatenate(logits, axis=1), np.concatenate(maps, axis=1)


def _calibrated(
    logits: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], lesions: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """Calibrated probabilities (N, C), and what `metrics.json` says of them."""
    temperature = fit_temperature(logits, labels)
    probabilities = np.asarray(ops.softmax(logits / temperature))
    scores = ClassificationScores.from_predictions(labels, probabilities, classes, lesions)
    return probabilities, {
        "temperature": temperature,
        "abstention_threshold": float(np.quantile(probabilities.max(axis=1), ABSTAINING_PART)),
        "validation": scores.to_dict(),
    }


def _write_predictions(
    run: Run, part: pd.DataFrame, classes: tuple[str, ...], probabilities: np.ndarray
) -> None:
    table = part[["image_id", "lesion_id", "dx"]].join(pd.DataFrame(probabilities, columns=list(classes)))
    with replacing(run.folder / "validation_predictions.csv") as temporary:
        table.to_csv(temporary, index=False)
