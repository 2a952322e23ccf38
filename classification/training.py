"""Train the classifier, on full images or on crops."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops
from sklearn.utils.class_weight import compute_class_weight

from classification.calibration import fit_temperature
from classification.config import ClassificationConfig
from classification.figures import classification_figure
from classification.metrics import ClassificationScores
from classification.model import build_classifier, with_activation_map
from classification.ood import OODDetector
from classification.test_time_augmentation import flips_of
from classification.views import CropView, crop_view, locate_references, viewed
from data.augmentation import Augmentation
from data.batches import ClassificationBatches
from data.cache import cache_images
from data.datasets.catalog import DatasetError
from data.datasets.diagnoses import classes_of, malignancy
from data.files import replacing, sha256
from data.images import read_mask
from data.splits import training_parts
from segmentation.engine.curves import save_figure, training_curves
from segmentation.engine.fitting import FitState, fit, remove_cache
from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import Run, RunError, start_run
from segmentation.engine.schedule import adam_with_cosine, compile_for_backend
from segmentation.locating import locate_lesions
from segmentation.training import CALIBRATION_SAMPLES, VALIDATION_SAMPLES, splits_of_run

ABSTAINING_PART = 0.1
EXAMPLES = 32


def train(
    catalog: pd.DataFrame,
    config: ClassificationConfig,
    output: str | Path,
    *,
    segmentation: Run | None = None,
    splits: pd.DataFrame | None = None,
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
    segmentation : Run, optional
        Finds the boxes where the configuration wants predicted ones.
    splits : DataFrame, optional
        With `image_id` and `split`; by default that of the segmentation run, so that no image that serves as a test
        here has taught the boxes; else a split by lesion.
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
    keras.utils.set_random_seed(config.seed)
    labelled = _labelled(catalog, config.grouping)
    if splits is None and segmentation is not None:
        splits = _splits_of_segmentation(labelled, segmentation)
    splits = splits_of_run(labelled, splits, output, config.seed)
    settings = asdict(config) | {
        "segmentation": None if segmentation is None else sha256(segmentation.model_path)
    }
    run = start_run(output, "classification", settings, labelled, splits, resume=resume)
    images = _Images(run, training_parts(labelled, run.splits, "diagnosis"), config, segmentation)
    weights = _class_weights(images.labels["train"])
    state = fit(
        run,
        config.phases,
        build_model=lambda phase: build_classifier(
            len(images.classes),
            phase.input_size[0],
            config.encoder_weights,
            width=config.width,
            dropout=config.dropout,
            frozen_encoder=phase.frozen_encoder,
        ),
        make_batches=images.batches,
        compile_model=lambda model, phase, steps: compile_for_backend(
            model,
            optimizer=adam_with_cosine(phase, steps, config.weight_decay),
            loss=_loss(config, weights),
            metrics=["accuracy", keras.metrics.F1Score(average="macro", name="macro_f1")],
        ),
        monitor="val_macro_f1",
        patience=config.patience,
    )
    metrics = _finish(run, images, state)
    remove_cache(run)
    return metrics


class _Images:
    """What the classifier sees of the training and validation images, decoded once."""

    def __init__(
        self, run: Run, parts: dict[str, pd.DataFrame], config: ClassificationConfig, segmentation: Run | None
    ) -> None:
        self.config, self.parts = config, parts
        self.classes = classes_of(parts["train"]["dx"])
        self.labels = {name: _class_indices(part["dx"], self.classes) for name, part in parts.items()}
        self.views = {name: self._view(run, name, segmentation) for name in parts}
        side = max(phase.input_size[0] for phase in config.phases)
        self.pixels = {}
        for name, part in parts.items():
            view = self.views[name]
            room = 1 + 3 * config.jitter if view and name == "train" else 1
            region_side = round(side * room)
            self.pixels[name] = cache_images(
                list(part["image_path"]),
                (region_side, region_side),
                run.cache_folder / f"{name}.npy",
                view.regions if view else None,
                self._change(part),
            )

    def batches(self, phase: Phase) -> tuple[ClassificationBatches, ClassificationBatches]:
        augmentation = Augmentation("classification", self.config.augmentation)
        return self.part("train", phase.input_size[0], augmentation), self.part(
            "validation", phase.input_size[0]
        )

    def part(self, name: str, side: int, augmentation: Augmentation | None = None) -> ClassificationBatches:
        view, training = self.views[name], augmentation is not None
        return ClassificationBatches(
            self.pixels[name],
            self.labels[name],
            len(self.classes),
            side,
            self.config.batch_size,
            boxes=view.boxes if view else None,
            jitter=self.config.jitter if view and training else 0.0,
            augmentation=augmentation,
            sampling=self.config.sampling if training else "natural",
            mixup=self.config.mixup if training else 0.0,
            seed=self.config.seed,
        )

    def _view(self, run: Run, name: str, segmentation: Run | None) -> CropView | None:
        if self.config.view != "crop":
            return None
        located = _locate(run, self.parts[name], name, self.config.boxes, segmentation)
        return crop_view(located, self.config.margin, self.config.jitter if name == "train" else 0.0)

    def _change(self, part: pd.DataFrame) -> Callable[[int, np.ndarray], np.ndarray] | None:
        """What a view other than the two usual ones makes of an image, with the catalog's mask of it."""
        if self.config.view in {"full", "crop"}:
            return None
        ids, mask_paths = part["image_id"].tolist(), part["mask_path"].tolist()

        def change(position: int, image: np.ndarray) -> np.ndarray:
            path = mask_paths[position]
            mask = np.zeros(image.shape[:2], bool) if pd.isna(path) else read_mask(path)
            return viewed(image, mask, self.config.view, self.config.margin, ids[position])

        return change


def _locate(run: Run, part: pd.DataFrame, name: str, boxes: str, segmentation: Run | None) -> pd.DataFrame:
    """Bounds of the lesions, from the run's folder where an earlier start has left them."""
    file = run.folder / f"lesions-{name}.csv"
    if file.exists():
        return pd.read_csv(file)
    if boxes == "reference":
        located = locate_references(part["image_id"].tolist(), part["mask_path"].tolist())
    elif segmentation is None:
        raise RunError(
            "the crop view needs --segmentation RUN to find the lesions, or --boxes reference with masks."
        )
    else:
        located = locate_lesions(segmentation, part)
    with replacing(file) as temporary:
        located.to_csv(temporary, index=False)
    return located


def _labelled(catalog: pd.DataFrame, grouping: str) -> pd.DataFrame:
    labelled = catalog[catalog["dx"].notna()].reset_index(drop=True)
    if grouping == "malignancy":
        labelled["dx"] = labelled["dx"].map(malignancy)
    if labelled["dx"].nunique() < 2:
        raise DatasetError(
            "the dataset has fewer than two classes among its diagnoses; there is nothing to tell apart."
        )
    return labelled


def _splits_of_segmentation(catalog: pd.DataFrame, segmentation: Run) -> pd.DataFrame | None:
    """The segmentation run's split where it holds the catalog's images; None where it holds none of them."""
    known = catalog["image_id"].isin(segmentation.splits["image_id"])
    if known.any() and not known.all():
        raise DatasetError(
            f"{(~known).sum()} images of the dataset are not in the split of {segmentation.folder}, but others are; "
            "give --splits with all of them."
        )
    return segmentation.splits if known.all() else None


def _class_indices(diagnoses: pd.Series, classes: tuple[str, ...]) -> np.ndarray:
    strange = sorted(set(diagnoses) - set(classes))
    if strange:
        raise DatasetError(
            f"the training split has no image of {', '.join(strange)}; add images or give other --splits."
        )
    return pd.Categorical(diagnoses, categories=classes).codes.astype(int)


def _class_weights(labels: np.ndarray) -> np.ndarray:
    """Weight of each class by the inverse of its count; their mean over the images is 1."""
    weights: np.ndarray = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    return weights


def _loss(config: ClassificationConfig, class_weights: np.ndarray) -> Any:
    smoothing = config.label_smoothing
    if config.imbalance == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=class_weights / class_weights.sum(), gamma=2.0, from_logits=True, label_smoothing=smoothing
        )
    if config.imbalance == "class-weights":
        weights = class_weights.astype("float32")

        def weighted_cross_entropy(labels: Any, logits: Any) -> Any:
            smoothed = labels * (1 - smoothing) + smoothing / len(weights)
            losses = ops.categorical_crossentropy(smoothed, logits, from_logits=True)
            return losses * ops.sum(labels * weights, axis=-1)

        return weighted_cross_entropy
    return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)


def _finish(run: Run, images: _Images, state: FitState) -> dict[str, Any]:
    """Calibrate and measure the best model on validation, and write figures and pictures."""
    model = keras.models.load_model(run.model_path, compile=False)
    batches, labels = images.part("validation", model.input_shape[1]), images.labels["validation"]
    lesions = images.parts["validation"]["lesion_id"].to_numpy()
    logits, maps = _flipped_outputs(model, batches)
    probabilities, figures = _calibrated(logits[0], labels, images.classes, lesions)
    _, flips = _calibrated(logits.mean(axis=0), labels, images.classes, lesions)
    views = [view for view in images.views.values() if view]
    metrics = {
        "interrupted": state.interrupted,
        "epochs": len(state.history),
        "input_side": model.input_shape[1],
        "classes": list(images.classes),
        "images_without_lesion_found": sum(view.fallbacks for view in views),
        **figures,
        "flips": flips,
        "familiarity": OODDetector.fit(logits[0], maps[0]).to_dict(),
        **state.speed,
    }
    run.write_metrics(metrics)
    calibration = images.part("train", model.input_shape[1]).sample(CALIBRATION_SAMPLES)
    run.write_samples(calibration=calibration, validation=batches.sample(VALIDATION_SAMPLES))
    _write_predictions(run, images.parts["validation"], images.classes, probabilities)
    save_figure(training_curves(state.history), run.folder / "curves.png")
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
