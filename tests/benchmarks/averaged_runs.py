"""What trained classifiers are worth on the same crops, and the means of two: of their answers, and of their weights.

The validation images of the first run, cropped by the bundle that ships, are answered by each run. How sure an answer
is and how frequent a class depend on the recipe, so that each network gets the temperature and the offset of each class
under which the first dataset's labels are likeliest; the other datasets are read with the same. Then come the mean of
both log-probabilities and, where the networks are of one kind, the means of both runs' weights, the first counting
three quarters and a half (Wortsman et al. 2022, "Model soups", arXiv 2203.05482); that is of use where one started from
the other. Printed for each dataset: mean log-likelihood, macro AUC, AUC of melanoma, and balanced accuracy and macro F1
at half of the prior.

Run: python tests/benchmarks/averaged_runs.py RUN RUN DATASET DATASET...

A bundle's network is a run, too, where a training has rebuilt it: RUN/start-...
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.metrics import f1_score, recall_score, roc_auc_score

from classification.priors import log_shares
from data.datasets.catalog import load_dataset
from data.images import read_image
from data.resizing import resize
from pipeline import LesionPipeline
from segmentation.cropping import crop
from segmentation.engine.normalization import FusedBatchNormalization  # noqa: F401 - the networks hold such layers
from segmentation.engine.run_folder import open_run

BATCH = 64


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
    found = {run.folder.name: answers(model, views) for model, run in zip(models, runs, strict=True)}
    weights, others = (model.get_weights() for model in models)
    if [values.shape for values in weights] == [values.shape for values in others]:
        for part in (0.75, 0.5):
            models[0].set_weights(
                [part * one + (1 - part) * two for one, two in zip(weights, others, strict=True)]
            )
            found[f"weights, {part} first"] = answers(models[0], views)
    datasets = images["dataset"].to_numpy()
    fitted_to = datasets == datasets[0]
    found = {name: fitted(logits, labels, fitted_to) for name, logits in found.items()}
    first, second, *_ = found.values()
    found["mean of answers"] = log_softmax((first + second) / 2, axis=1)
    shares = log_shares(labels[fitted_to], len(classes))
    for dataset in images["dataset"].unique():
        here = datasets == dataset
        print(f"{dataset}, {here.sum()} images")
        for name, answer in found.items():
            show(name, answer[here], labels[here], shares, classes.index("mel"))


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


def fitted(logits: np.ndarray, labels: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Log-probabilities (N, C) of logits over the temperature, and with the offsets, that fit the labels `where`."""

    def log_probabilities(values: np.ndarray) -> np.ndarray:
        return np.asarray(log_softmax(logits * np.exp(values[0]) + values[1:], axis=1))

    def loss(values: np.ndarray) -> float:
        return float(-log_probabilities(values)[where, labels[where]].mean())

    return log_probabilities(minimize(loss, np.zeros(1 + logits.shape[1])).x)


def show(name: str, answer: np.ndarray, labels: np.ndarray, shares: np.ndarray, melanoma: int) -> None:
    """Print the figures of log-probabilities (N, C); classes without an image here count in none of them."""
    present, named = np.unique(labels), (answer - 0.5 * shares).argmax(axis=1)
    aucs = {place: roc_auc_score(labels == place, answer[:, place]) for place in present}
    recall = recall_score(labels, named, labels=present, average="macro")
    f1 = f1_score(labels, named, labels=present, average="macro")
    likelihood = answer[np.arange(len(labels)), labels].mean()
    print(
        f"{name:24s} {likelihood:.3f}, AUC {np.mean(list(aucs.values())):.3f}, melanoma {aucs[melanoma]:.3f}, "
        f"balanced accuracy {recall:.3f}, macro F1 {f1:.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
