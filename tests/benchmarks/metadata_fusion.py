"""Whether age, sex and site of a lesion would help the diagnosis, by late fusion on the validation images.

A multinomial logistic regression on the logarithms of a run's calibrated probabilities, cross-validated by lesion, is
compared with the same regression that also sees age (five soft bins), sex and site as the dataset's table has them,
each missing value as its own. Mean log-likelihood, macro AUC, balanced accuracy, macro F1 and the AUC of melanoma; the
difference in log-likelihood has a 95% interval by a bootstrap over lesions.

Run: python tests/benchmarks/metadata_fusion.py RUN DATASET

Set OMP_NUM_THREADS=1 where other work runs beside it.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, recall_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from data.datasets.catalog import load_dataset
from segmentation.engine.run_folder import open_run

FOLDS, PENALTY, RESAMPLES = 5, 0.3, 1000
AGES, WIDTH = np.array([10, 30, 50, 70, 90]), 15.0


def main() -> None:
    run, dataset = open_run(Path(sys.argv[1]), "classification"), Path(sys.argv[2])
    classes = run.metrics["classes"]
    (metadata,) = dataset.glob("*metadata*.csv")
    columns = ["image_id", "age", "sex", "localization"]
    known = load_dataset(dataset)[["image_id"]].merge(pd.read_csv(metadata)[columns], on="image_id")
    table = pd.read_csv(run.folder / "validation_predictions.csv").merge(known, on="image_id")
    labels, lesions = table["dx"].map(classes.index).to_numpy(), table["lesion_id"].to_numpy()
    logits = np.log(np.clip(table[classes].to_numpy(), 1e-6, 1))
    age = np.exp(-(((table["age"].to_numpy()[:, None] - AGES) / WIDTH) ** 2) / 2)
    parts = {
        "age": np.nan_to_num(age),
        "sex": pd.get_dummies(table["sex"].fillna("unknown")).to_numpy(float),
        "site": pd.get_dummies(table["localization"].fillna("unknown")).to_numpy(float),
    }
    print(f"{len(table)} validation images of {len(set(lesions))} lesions")
    alone = crossed(logits, labels, lesions)
    show("image alone", alone, labels, classes, alone, lesions)
    for name, numbers in [*parts.items(), ("all three", np.hstack(list(parts.values())))]:
        show(
            f"with {name}",
            crossed(np.hstack([logits, numbers]), labels, lesions),
            labels,
            classes,
            alone,
            lesions,
        )


def crossed(numbers: np.ndarray, labels: np.ndarray, lesions: np.ndarray) -> np.ndarray:
    """Cross-validated probabilities (N, C)."""
    probabilities = np.zeros((len(labels), labels.max() + 1))
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(
        numbers, labels, lesions
    ):
        rule = LogisticRegression(C=PENALTY, max_iter=500).fit(numbers[train], labels[train])
        probabilities[test] = rule.predict_proba(numbers[test])
    return probabilities


def show(
    name: str,
    found: np.ndarray,
    labels: np.ndarray,
    classes: list[str],
    alone: np.ndarray,
    lesions: np.ndarray,
) -> None:
    places = np.arange(len(labels))
    gains = np.log(found[places, labels]) - np.log(alone[places, labels])
    by_lesion = (
        pd.DataFrame({"lesion": lesions, "gain": gains}).groupby("lesion")["gain"].agg(["sum", "size"])
    )
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(by_lesion), (RESAMPLES, len(by_lesion)))
    sums, sizes = (by_lesion[column].to_numpy()[drawn].sum(axis=1) for column in ("sum", "size"))
    low, high = np.quantile(sums / sizes, [0.025, 0.975])
    said, melanoma = found.argmax(axis=1), classes.index("mel")
    print(
        f"{name}: log-likelihood {np.log(found[places, labels]).mean():.4f} "
        f"(gain {gains.mean():+.4f}, {low:+.4f} to {high:+.4f}), "
        f"macro AUC {roc_auc_score(np.eye(len(classes))[labels], found, average='macro'):.4f}, "
        f"balanced accuracy {recall_score(labels, said, average='macro'):.3f}, "
        f"macro F1 {f1_score(labels, said, average='macro'):.3f}, "
        f"AUC of melanoma {roc_auc_score(labels == melanoma, found[:, melanoma]):.4f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
