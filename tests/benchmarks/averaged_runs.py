"""What the mean of trained classifiers is worth: of their logits, and of their weights where both have one network.

The validation images of the first run, cropped by the bundle that ships, are answered by each run, by the mean of their
logits, each over its temperature, and, where the networks are of one kind, by the means of both runs' weights with the
first counting three quarters and a half (Wortsman et al. 2022, "Model soups", arXiv 2203.05482). That is of use where
one started from the other. Printed for each dataset: macro AUC and AUC of melanoma with all of the prior, and for prior
strengths 0, 0.3, 0.6 and 1 the mean log-likelihood, balanced accuracy and macro F1.

Run: python tests/benchmarks/averaged_runs.py RUN RUN DATASET DATASET...

A bundle's network is a run, too, where a training has rebuilt it: RUN/start-...
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
    runs = [open_run(folder, "classification") for folder in chosen.runs]
    classes = runs[0].metrics["classes"]
    predictions = pd.read_csv(runs[0].folder / "validation_predictions.csv").set_index("image_id")["dx"]
    catalogs = pd.concat([load_dataset(folder).assign(dataset=folder.name) for folder in chosen.datasets])
    images = catalogs[catalogs["image_id"].isin(predictions.index)].drop_duplicates("image_id")
    labels = images["image_id"].map(predictions).map(classes.index).to_numpy()
    models = [keras.models.load_model(run.model_path, compile=False) for run in runs]
    views = seen(images["image_path"], max(model.input_shape[1] for model in models))
    logits = [
        answers(model, views) / run.metrics["temperature"] for model, run in zip(models, runs, strict=True)
    ]
    found = {"first": logits[0], "second": logits[1], "mean of logits": (logits[0] + logits[1]) / 2}
    weights, others = (model.get_weights() for model in models)
    if [values.shape for values in weights] == [values.shape for values in others]:
        for part in (0.75, 0.5):
            models[0].set_weights(
                [part * one + (1 - part) * two for one, two in zip(weights, others, strict=True)]
            )
            found[f"weights, {part} first"] = answers(models[0], views)
    for dataset in images["dataset"].unique():
        here = (images["dataset"] == dataset).to_numpy()
        print(f"{dataset}, {here.sum()} images")
        for name, values in found.items():
            show(name, values[here], labels[here], classes)


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
    side, batches = model.input_shape[1], np.array_split(views, range(BATCH, len(views), BATCH))
    return np.concatenate(
        [
            model.predict_on_batch(np.stack([resize(view, (side, side)) for view in batch]))
            for batch in batches
        ]
    )


def show(name: str, logits: np.ndarray, labels: np.ndarray, classes: list[str]) -> None:
    shares, melanoma = log_shares(labels, len(classes)), classes.index("mel")
    probabilities = softmax(logits + shares, axis=1)
    worths = "; ".join(
        f"{worth['strength']:g}: {worth['log_likelihood']:.3f}, {worth['balanced_accuracy']:.3f}, "
        f"{worth['macro_f1']:.3f}"
        for worth in prior_strengths(logits, labels, shares, STRENGTHS)
    )
    auc = np.mean([roc_auc_score(labels == place, probabilities[:, place]) for place in np.unique(labels)])
    of_melanoma = roc_auc_score(labels == melanoma, probabilities[:, melanoma])
    print(f"{name:20s} AUC {auc:.4f}, melanoma {of_melanoma:.4f}; {worths}", flush=True)


if __name__ == "__main__":
    main()
