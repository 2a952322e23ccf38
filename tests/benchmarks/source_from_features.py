"""How far a classifier's features tell which dataset an image came from, within one diagnosis.

A network that knows the source can answer by it where a class is frequent in one source: a shortcut. For every
diagnosis that two datasets have in their validation images, the features before the last layer are given to a logistic
regression that is to tell the datasets apart, cross-validated by lesion; AUROC 0.5 is no knowledge, 1 is all. The same
is done with the network's probabilities alone, which is what a shortcut would show in, and with the features of an
encoder that knows ImageNet only (--weights), which is how far the images themselves differ.

Run: python tests/benchmarks/source_from_features.py DATASET DATASET... [--bundle BUNDLE] [--weights FILE] [--most 300]
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

from classification.model import build_classifier
from classification.probabilities import softmax
from data.datasets.catalog import load_dataset
from pipeline.bundle.loading import Bundle, load_bundle
from pipeline.evaluation.selection import select_split
from pipeline.export.rebuilding import inputs_of, rebuilt_model

FEWEST, FOLDS, PENALTY = 20, 5, 0.01
STATISTICS = 256  # images for the batch normalisation of the rebuilt network


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument("--bundle")
    parser.add_argument("--weights")
    parser.add_argument("--most", type=int, default=300)
    chosen = parser.parse_args()
    bundle = load_bundle(chosen.bundle)
    images = pd.concat([validation_images(bundle, folder, chosen.most) for folder in chosen.datasets])
    print(f"{len(images)} validation images: {images.groupby(['source', 'dx']).size().to_dict()}")
    views = inputs_of(bundle, "classification", list(images["image_path"]))
    model = rebuilt_model(bundle, "classification", views[:STATISTICS])
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


def validation_images(bundle: Bundle, folder: Path, most: int) -> pd.DataFrame:
    """At most `most` validation images a diagnosis of a dataset."""
    known = select_split(load_dataset(folder), bundle, "validation").catalog
    known = known[known["dx"].isin(bundle.classes)]
    drawn = known.sample(frac=1, random_state=0).groupby("dx").head(most)
    return drawn.assign(source=folder.resolve().name)


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
