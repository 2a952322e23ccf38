"""Train the U-Net."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from data.augmentation import Augmentation
from data.batches import SegmentationBatches
from data.cache import cache_images, cache_masks
from data.files import sha256
from data.leaks import check_leaks, splits_for, splits_of_images, warn_of_near_duplicates
from data.near_duplicates import perceptual_hashes
from data.splits import SPLITS, split_dataset, training_parts
from segmentation.config import SegmentationConfig
from segmentation.cropping import lesion_mask
from segmentation.encoders import ENCODERS
from segmentation.engine.curves import save_figure, training_curves
from segmentation.engine.devices import check_devices
from segmentation.engine.fitting import FitState, fit, remove_cache
from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import Run, keep_earlier_splits, start_run
from segmentation.engine.schedule import adam_with_cosine, compile_for_backend
from segmentation.engine.starting import check_encoder, check_phases
from segmentation.figures import segmentation_figure
from segmentation.masked import masked_images
from segmentation.metrics import SegmentationScores, jaccard, threshold_jaccard
from segmentation.model import build_unet, start_unet_from

CALIBRATION_SAMPLES, VALIDATION_SAMPLES, EXAMPLES = 128, 64, 16
MONITOR = "val_mean_jaccard"
THRESHOLDS = np.round(np.arange(0.2, 0.81, 0.05), 2)


def train(
    catalog: pd.DataFrame,
    config: SegmentationConfig,
    output: str | Path,
    *,
    splits: pd.DataFrame | None = None,
    start: Run | None = None,
    devices: int = 1,
    resume: bool = False,
) -> dict[str, Any]:
    """Train the U-Net on the catalog's images that have a mask.

    Parameters
    ----------
    catalog : DataFrame
        From `load_dataset` or `load_datasets`.
    config : SegmentationConfig
    output : path
        The run folder.
    splits : DataFrame, optional
        With `image_id` and `split`; by default a split by lesion of all images of the catalog, near-duplicates
        together.
    start : Run, optional
        A segmentation run whose weights this training starts from; or a classification run, whose encoder it takes.
    devices : int
        Of this machine that share every batch.
    resume : bool
        Go on with the run in `output`.

    Returns
    -------
    dict
        What `metrics.json` holds: validation figures, the mask threshold that validation chose, and speed.

    Raises
    ------
    DatasetError, ImageError, RunError
    """
    masked = masked_images(catalog)
    _check(config, start, devices)
    keras.utils.set_random_seed(config.seed)
    run = start_run(
        output,
        "segmentation",
        asdict(config) | {"start": None if start is None else sha256(start.model_path)},
        catalog,
        splits_of_run(catalog, splits, output, config.seed),
        resume=resume,
    )
    keep_earlier_splits(run, () if start is None else (start,))
    parts = training_parts(masked, run.splits, "mask")
    cached = _Cache(run, parts, config)
    state = fit(
        run,
        config.phases,
        build_model=lambda phase: _build(config, phase, start),
        make_batches=cached.batches,
        compile_model=lambda model, phase, steps: _compile(config, model, phase, steps),
        monitor=MONITOR,
        patience=config.patience,
        devices=devices,
    )
    metrics = _finish(run, cached, parts["validation"], state)
    remove_cache(run)
    return metrics


def _check(config: SegmentationConfig, start: Run | None, devices: int) -> None:
    """Raise RunError for what can't be trained, before it costs the decoding of images."""
    check_phases(config.phases)
    check_encoder(config.encoder, ENCODERS)
    check_devices(devices, config.batch_size)
    if start is None and config.encoder_weights is not None:
        _build(config, config.phases[0], None)


def _compile(config: SegmentationConfig, model: keras.Model, phase: Phase, steps: int) -> None:
    compile_for_backend(
        model,
        optimizer=adam_with_cosine(phase, steps, config.weight_decay, config.average_decay),
        loss=dice_and_cross_entropy,
        metrics=[mean_jaccard],
    )


def _build(config: SegmentationConfig, phase: Phase, start: Run | None) -> keras.Model:
    model = build_unet(
        phase.input_size,
        config.encoder_weights if start is None else None,
        config.decoder_filters,
        config.encoder,
    )
    if start is not None:
        start_unet_from(model, keras.models.load_model(start.model_path, compile=False), start.folder)
    return model


def split_catalog(catalog: pd.DataFrame, seed: int, beside: pd.DataFrame | None = None) -> pd.DataFrame:
    """Split a catalog as its own folders do, or else by lesion, near-duplicates kept together.

    With the split `beside`, of a training that comes before and knows some of the images, what is a test there is one
    here, and nothing else that it knows: the images that it learned from train, or are left out where the catalog's
    folders call them a test. Images of a lesion, and near-duplicates, go together.
    """
    splits = split_dataset(catalog, perceptual_hashes(list(catalog["image_path"])), seed)
    if beside is None:
        return splits
    parts = splits_of_images(splits["image_id"], beside).to_numpy()
    taught = splits["group"].isin(splits.loc[np.isin(parts, SPLITS[:2]), "group"])
    if "own_split" in catalog and catalog["own_split"].notna().any():
        return splits[~taught | splits["split"].ne("test")].reset_index(drop=True)
    tested = splits["group"].isin(splits.loc[parts == "test", "group"]) & ~taught
    splits["split"] = splits["split"].mask(taught & splits["split"].eq("test"), "train").mask(tested, "test")
    return splits


def dice_and_cross_entropy(masks: Any, probabilities: Any) -> Any:
    """Binary cross-entropy plus one minus the soft Dice of each image (Milletari et al. 2016): shape (N,)."""
    axes = (1, 2, 3)
    overlap = ops.sum(masks * probabilities, axis=axes)
    areas = ops.sum(masks, axis=axes) + ops.sum(probabilities, axis=axes)
    cross_entropy = ops.mean(ops.binary_crossentropy(masks, probabilities), axis=axes)
    return cross_entropy + 1 - (2 * overlap + 1) / (areas + 1)


def mean_jaccard(masks: Any, probabilities: Any) -> Any:
    """Jaccard of each image at a threshold of 0.5: shape (N,); 1 where both masks are empty."""
    axes = (1, 2, 3)
    lesion, found = masks >= 0.5, probabilities >= 0.5
    intersection = ops.sum(ops.cast(ops.logical_and(lesion, found), "float32"), axis=axes)
    union = ops.sum(ops.cast(ops.logical_or(lesion, found), "float32"), axis=axes)
    return ops.where(union > 0, intersection / ops.maximum(union, 1.0), 1.0)


def choose_threshold(probabilities: np.ndarray, references: np.ndarray) -> float:
    """The threshold with the best mean threshold Jaccard of the largest component.

    Parameters
    ----------
    probabilities : float array (N, H, W)
    references : bool array (N, H, W)
    """
    scores = [
        np.mean(threshold_jaccard(np.array([
            jaccard(lesion_mask(probability, threshold), reference)
            for probability, reference in zip(probabilities, references, strict=True)
        ])))
        for threshold in THRESHOLDS
    ]  # fmt: skip
    return float(THRESHOLDS[int(np.argmax(scores))])


class _Cache:
    """Training and validation images, decoded once at the largest size that a phase asks for."""

    def __init__(self, run: Run, parts: dict[str, pd.DataFrame], config: SegmentationConfig) -> None:
        self.config = config
        size = max((phase.input_size for phase in config.phases), key=lambda size: size[0] * size[1])
        self.images, self.masks = {}, {}
        for name, part in parts.items():
            folder = run.cache_folder / name
            self.images[name] = cache_images(list(part["image_path"]), size, folder / "images.npy")
            self.masks[name] = cache_masks(list(part["mask_path"]), size, folder / "masks.npy")

    def batches(self, phase: Phase) -> tuple[SegmentationBatches, SegmentationBatches]:
        augmentation = Augmentation("segmentation", self.config.augmentation)
        return self.part("train", phase.input_size, augmentation), self.part("validation", phase.input_size)

    def part(
        self, name: str, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> SegmentationBatches:
        return SegmentationBatches(
            self.images[name],
            self.masks[name],
            size,
            self.config.batch_size,
            augmentation,
            seed=self.config.seed,
        )


def splits_of_run(
    catalog: pd.DataFrame,
    splits: pd.DataFrame | None,
    output: str | Path,
    seed: int,
    beside: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The split that was given, or that the run in `output` already has, or else a new one, see `split_catalog`.

    One that was given is checked: lesions in several parts raise DatasetError, and images that look alike are warned
    of when a run begins.
    """
    run = Run(Path(output))
    if splits is None:
        splits = run.splits if run.holds_training else split_catalog(catalog, seed, beside)
    else:
        check_leaks(catalog, splits)
        if not run.holds_training:
            warn_of_near_duplicates(catalog, splits, perceptual_hashes(list(catalog["image_path"])))
    return splits_for(catalog, splits)


def _finish(run: Run, cached: _Cache, validation: pd.DataFrame, state: FitState) -> dict[str, Any]:
    """Choose the threshold, measure the best model on validation, and write figures and pictures."""
    model = keras.models.load_model(run.model_path, compile=False)
    size = model.input_shape[1:3]
    batches = cached.part("validation", size)
    probabilities = model.predict(batches, verbose=0)[..., 0]
    references = np.concatenate([masks[..., 0] >= 0.5 for _, masks in batches])
    threshold = choose_threshold(probabilities, references)
    masks = [lesion_mask(probability, threshold) for probability in probabilities]
    scores = SegmentationScores.from_masks(masks, references, validation["lesion_id"].to_numpy())
    metrics = {
        "interrupted": state.interrupted,
        "epochs": len(state.history),
        "input_size": list(size),
        "threshold": threshold,
        "validation": scores.to_dict(),
        **state.speed,
    }
    run.write_metrics(metrics)
    run.write_samples(
        calibration=cached.part("train", size).sample(CALIBRATION_SAMPLES),
        validation=batches.sample(VALIDATION_SAMPLES),
    )
    save_figure(training_curves(state.history, MONITOR), run.folder / "curves.png")
    positions = batches.spread(EXAMPLES)
    examples = [
        (image, references[position], masks[position])
        for image, position in zip(batches.sample(EXAMPLES), positions, strict=True)
    ]
    save_figure(segmentation_figure(examples), run.folder / "examples.png")
    return metrics
