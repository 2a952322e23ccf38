"""What the mean of trained classifiers is worth: of their weights, and of their logits.

Both runs must have one architecture and classes, best one started from the other (Wortsman et al. 2022, "Model
soups", arXiv 2203.05482). The validation images of the first run, cropped by the bundle that ships, are answered by
each run, by the means of both runs' weights with the first counting three quarters and a half, and by the mean of their
logits. Printed: macro AUC and AUC of melanoma with all of the prior, and for prior strengths 0, 0.3, 0.6 and 1 the mean
log-likelihood, balanced accuracy and macro F1.

Run: python tests/benchmarks/averaged_runs.py RUN RUN DATASET DATASET...
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from classification.losses import log_shares
from classification.priors import prior_strengths
from data.datasets.catalog import load_dataset
from data.images import read_image
from data.resizing import resize
from pipeline import LesionPipeline
from segmentation.cropping import crop
from segmentation.engine.normalization import FusedBatchNormalization  # noqa: F401 - the networks hold such layers
from segmentation.engine.run_folder import open_run

STRENGTHS, BATCH = (0.0, 0.3, 0.6, 1.0), 64


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs=2, type=Path)
    parser.add_argument("datasets", nargs="+", type=Path)
    chosen = parser.parse_args()
    first, second = (open_run(folder, "classification") for folder in chosen.runs)
    classes = first.metrics["classes"]
    predictions = pd.read_csv(first.folder / "validation_predictions.csv").set_index("image_id")["dx"]
    catalogs = pd.concat([load_dataset(folder) for folder in chosen.datasets]).drop_duplicates("image_id")
    images = catalogs[catalogs["image_id"].isin(predictions.index)]
    labels = images["image_id"].map(predictions).map(classes.index).to_numpy()
    model, other = (keras.models.load_model(run.model_path, compile=False) for run in (first, second))
    views = seen(images["image_path"], model.input_shape[1])
    weights, others = model.get_weights(), other.get_weights()
    alone, otherwise = answers(model, views), answers(other, views)
    show("first", alone, labels, classes)
    show("second", otherwise, labels, classes)
    show("mean of logits", (alone + otherwise) / 2, labels, classes)
    for part in (0.75, 0.5):
        model.set_weights([part * one + (1 - part) * two for one, two in zip(weights, others, strict=True)])
        show(f"weights, {part} first", answers(model, views), labels, classes)


def seen(paths: pd.Series, side: int) -> np.ndarray:
    """Crops of the images, uint8 (N, side, side, 3)."""
    pipeline = LesionPipeline.load()
    views = []
    for path in paths:
        image = read_image(path)
        box = pipeline.predict(image).box
        views.append(resize(image if box is None else crop(image, box), (side, side)))
    return np.stack(views)


def answers(model: keras.Model, views: np.ndarray) -> np.ndarray:
    starts = range(0, len(views), BATCH)
    return np.concatenate([model.predict_on_batch(views[start : start + BATCH]) for start in starts])


def show(name: str, logits: np.ndarray, labels: np.ndarray, classes: list[str]) -> None:
    shares, melanoma = log_shares(labels, len(classes)), classes.index("mel")
    probabilities = softmax(logits + shares, axis=1)
    worths = "; ".join(
        f"{worth['strength']:g}: {worth['log_likelihood']:.3f}, {worth['balanced_accuracy']:.3f}, "
        f"{worth['macro_f1']:.3f}"
        for worth in prior_strengths(logits, labels, shares, STRENGTHS)
    )
    auc = roc_auc_score(np.eye(len(classes))[labels], probabilities, average="macro")
    of_melanoma = roc_auc_score(labels == melanoma, probabilities[:, melanoma])
    print(f"{name:20s} AUC {auc:.4f}, melanoma {of_melanoma:.4f}; {worths}", flush=True)


if __name__ == "__main__":
    main()
