"""How far a classifier's features tell which dataset an image came from, within one diagnosis.

A network that knows the source can answer by it where a class is frequent in one source: a shortcut. For every
diagnosis that two datasets have in their validation images, the features before the last layer are given to a logistic
regression that is to tell the datasets apart, cross-validated by lesion; AUROC 0.5 is no knowledge, 1 is all. The same
is done with the network's probabilities alone, which is what a shortcut would show in, and with the features of an
encoder that knows ImageNet only (--weights), which is how far the images themselves differ.

Run: python tests/benchmarks/source_from_features.py RUN DATASET DATASET... [--weights FILE] [--most 300]
"""

import argparse
from itertools import combinations
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classification.model import build_classifier, load_classifier
from classification.probabilities import softmax
from data.datasets.catalog import load_dataset
from data.images import read_image
from data.resizing import resize
from pipeline import LesionPipeline
from segmentation.cropping import crop
from segmentation.engine.run_folder import open_run

FEWEST, FOLDS, PENALTY = 25, 5, 0.01


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--most", type=int, default=300)
    chosen = parser.parse_args()
    run = open_run(chosen.run, "classification")
    images = pd.concat([validation_images(run, folder, chosen.most) for folder in chosen.datasets])
    model = load_classifier(run)
    print(f"{len(images)} validation images: {images.groupby(['source', 'dx']).size().to_dict()}")
    views = seen(images, model.input_shape[1])
    features, logits = outputs(model, views)
    kinds = {"features": features, "probabilities": np.log(np.clip(softmax(logits), 1e-6, 1))}
    if chosen.weights:
        kinds["ImageNet's features"], _ = outputs(
            build_classifier(2, model.input_shape[1], chosen.weights), views
        )
    for first, second in combinations(images["source"].unique(), 2):
        for dx in sorted(images["dx"].unique()):
            here = ((images["dx"] == dx) & images["source"].isin([first, second])).to_numpy()
            from_first = (images["source"] == first).to_numpy()[here]
            if min(from_first.sum(), (~from_first).sum()) < FEWEST:
                continue
            lesions = images["lesion_id"].to_numpy()[here]
            told = ", ".join(
                f"{kind} {auroc(values[here], from_first, lesions):.3f}" for kind, values in kinds.items()
            )
            print(
                f"{first} ({from_first.sum()}) or {second} ({(~from_first).sum()}), {dx}: {told}", flush=True
            )


def validation_images(run, folder: Path, most: int) -> pd.DataFrame:
    """At most `most` validation images a diagnosis of a dataset."""
    catalog = load_dataset(folder).dropna(subset=["dx"])
    split = catalog["image_id"].map(run.splits.set_index("image_id")["split"])
    known = catalog[(split == "validation") & catalog["dx"].isin(run.metrics["classes"])]
    drawn = known.sample(frac=1, random_state=0).groupby("dx").head(most)
    return drawn.assign(source=folder.resolve().name)


def seen(images: pd.DataFrame, side: int) -> np.ndarray:
    """What the classifier sees of the images, uint8 (N, side, side, 3)."""
    pipeline = LesionPipeline.load()
    views = []
    for path in images["image_path"]:
        image = read_image(path)
        box = pipeline.predict(image).box
        views.append(resize(image if box is None else crop(image, box), (side, side)))
    return np.stack(views)


def outputs(model: keras.Model, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pooled features (N, D) and logits (N, C)."""
    head = model.get_layer("logits")
    both = keras.Model(model.inputs, [head.input, head.output])
    parts = [both.predict_on_batch(views[start : start + 32]) for start in range(0, len(views), 32)]
    return tuple(np.concatenate(found) for found in zip(*parts, strict=True))


def auroc(values: np.ndarray, from_first: np.ndarray, lesions: np.ndarray) -> float:
    """Cross-validated AUROC of the source."""
    rule = make_pipeline(
        StandardScaler(), LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=2000)
    )
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    scores = cross_val_predict(rule, values, from_first, groups=lesions, cv=folds, method="decision_function")
    return float(roc_auc_score(from_first, scores))


if __name__ == "__main__":
    main()
