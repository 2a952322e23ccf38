"""The classifiers of every arm: trained in full, or quickly on the features of a frozen encoder."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data.datasets.catalog import CATALOG_COLUMNS
from pipeline.bundle.litert import LiteRTModel
from pipeline.comparison.arms import Arm
from pipeline.comparison.config import ComparisonConfig
from pipeline.comparison.folder import ComparisonFolder, finished, started
from pipeline.comparison.masks import FinderOf
from pipeline.comparison.models import announce_training, convert_encoder, converted_run
from pipeline.comparison.observing import Observer, observe

PENALTIES = (1e-3, 1e-2, 1e-1)  # inverse strengths of the L2 penalty; validation chooses
MOST_ITERATIONS = 200


def train_arms(
    folder: ComparisonFolder,
    images: pd.DataFrame,
    splits: pd.DataFrame,
    arms: Sequence[Arm],
    config: ComparisonConfig,
) -> dict[str, Observer]:
    """Train every arm with every seed that the folder lacks, each into a run of its own.

    All arms have the images, their order, the draws of the augmentation and the number of steps in common: these
    depend on seed, epoch and step alone.

    Parameters
    ----------
    images : DataFrame
        The catalog with `found_path`, the masks that the crops follow.

    Raises
    ------
    KeyboardInterrupt : Ctrl-C has ended a training; the next call goes on with it.
    """
    for seed in range(config.seeds):
        for arm in arms:
            run = folder.arm_run(arm.name, seed)
            if not finished(run):
                from classification.training import train  # noqa: PLC0415

                announce_training(f"{arm.name} with seed {seed} (of {config.seeds} seeds)")
                masks = images["found_path" if arm.masks == "predicted" else "mask_path"]
                metrics = train(
                    images[list(CATALOG_COLUMNS)].assign(mask_path=masks),
                    config.of_arm(arm, seed),
                    run.folder,
                    splits=splits,
                    resume=started(run),
                )
                if metrics["interrupted"]:
                    raise KeyboardInterrupt
    return {
        arm.name: _seeds_together([
            LiteRTModel(converted_run(folder.arm_run(arm.name, seed))) for seed in range(config.seeds)
        ])
        for arm in arms
    }  # fmt: skip


def _seeds_together(models: Sequence[LiteRTModel]) -> Observer:
    return lambda image: np.stack([model(image)[0] for model in models])


def fit_quickly(
    folder: ComparisonFolder,
    parts: Mapping[str, pd.DataFrame],
    arms: Sequence[Arm],
    config: ComparisonConfig,
    finder_of: FinderOf,
) -> dict[str, Observer]:
    """Fit a linear head for every arm and seed on the features of one frozen encoder.

    A seed draws the training images with replacement, rare classes more often by the square root of their count; it
    draws the same for every arm.

    Parameters
    ----------
    parts : "train" and "validation" -> images with the columns of the catalog and of `Masks.table`
    """
    training = config.classification
    encoder = LiteRTModel(convert_encoder(training, config.input_side, folder.encoder_path))
    features = {
        name: observe(
            folder,
            f"{name}-features",
            part,
            arms,
            dict.fromkeys((arm.name for arm in arms), lambda image: encoder(image)[0][None]),
            side=config.input_side,
            seeds=1,
            finder_of=finder_of,
        ).values
        for name, part in parts.items()
    }
    labels = {name: part["dx"].to_numpy(str) for name, part in parts.items()}
    return {
        arm.name: _head_observer(
            encoder,
            [
                _head(
                    folder, arm.name, seed, {name: of[arm.name][0] for name, of in features.items()}, labels
                )
                for seed in range(config.seeds)
            ],
        )
        for arm in arms
    }


def _head_observer(encoder: LiteRTModel, heads: Sequence[tuple[np.ndarray, np.ndarray]]) -> Observer:
    weights, biases = (np.stack(arrays) for arrays in zip(*heads, strict=True))
    return lambda image: (encoder(image)[0] @ weights + biases).astype(np.float32)


def _head(
    folder: ComparisonFolder,
    arm: str,
    seed: int,
    features: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (F, C) and biases (C,) of one linear head; kept in the folder."""
    weights, biases = (
        folder.load_array("heads", f"{arm}-seed{seed}-{part}") for part in ("weights", "biases")
    )
    if weights is None or biases is None:
        weights, biases = _fit_head(seed, features, labels)
        folder.save_array("heads", f"{arm}-seed{seed}-weights", weights)
        folder.save_array("heads", f"{arm}-seed{seed}-biases", biases)
    return weights, biases


def _fit_head(
    seed: int, features: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    classes, of_image = np.unique(labels["train"], return_inverse=True)
    chances = 1 / np.sqrt(np.bincount(of_image))[of_image]
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(of_image), len(of_image), p=chances / chances.sum())
    drawn = np.concatenate([drawn, np.unique(of_image, return_index=True)[1]])  # no class is missed
    best, best_score = None, -1.0
    for penalty in PENALTIES:
        head = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=MOST_ITERATIONS))
        head.fit(features["train"][drawn], of_image[drawn])
        said = classes[head.predict(features["validation"])]
        score = f1_score(labels["validation"], said, average="macro")
        if score > best_score:
            best, best_score = head, score
    scaler, regression = best.named_steps.values()  # type: ignore[union-attr]
    coefficients, intercepts = _for_each_class(regression.coef_, regression.intercept_)
    weights = coefficients.T / scaler.scale_[:, None]
    return weights, intercepts - scaler.mean_ @ weights


def _for_each_class(coefficients: np.ndarray, intercepts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A row for each class, also where scikit-learn has one row for two classes."""
    if len(coefficients) > 1:
        return coefficients, intercepts
    return np.concatenate([-coefficients, coefficients]) / 2, np.concatenate([-intercepts, intercepts]) / 2
