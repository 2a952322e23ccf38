"""What each part of the weights' recipe brings: short trainings that each leave one part out, or add one.

Every arm is `lesion train classification` at a small side for a few epochs; figures are of the validation images of the
split, apart for each dataset, after a temperature fitted to the first dataset alone: macro AUC, mean log-likelihood,
balanced accuracy, calibration error and the AUC of the two rarest classes. The arm "first source alone" has learned
nothing from the other datasets, and so starts from ImageNet's weights: its figures there are those of a source left
out. Arms that are there are not trained again.

Run: python tests/benchmarks/ablation.py DATASET DATASET... --splits FILE --start RUN --weights FILE --output FOLDER
         [--blurred DATASET] [--teacher RUN] [--arms NAMES] [--seeds 1] [--epochs 3] [--side 96]

--start is the pretrained run ("" for none at all), --weights ImageNet's for what starts without one, --blurred a
dataset of few pixels.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import recall_score, roc_auc_score

from classification.calibration import expected_calibration_error, fit_temperature
from classification.probabilities import softmax
from data.datasets.catalog import load_dataset
from data.drawing.dataset import draw_lesion

CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
RECIPE = {
    "--only": ",".join(CLASSES),
    "--segmentation": "bundle",
    "--imbalance": "logit-adjustment",
    "--augmentation": "varied",
    "--jitter": "0.15",
    "--weight-decay": "0.02",
    "--average-decay": "0.99",
    "--learning-rate": "5e-4",
    "--batch-size": "32",
    "--head-epochs": "0",
    "--full-epochs": "0",
    "--monitor": "loss",
}
ARMS: dict[str, dict[str, str]] = {
    "all": {},
    "no pretraining": {"--start": ""},
    "first source alone": {"datasets": "first", "--start": ""},
    "no logit adjustment": {"--imbalance": "square-root"},
    "no moving average": {"--average-decay": "0"},
    "light augmentation": {"--augmentation": "light"},
    "no crop": {"--view": "full", "--segmentation": "", "--jitter": "0"},
    "blurred source": {"datasets": "blurred"},
    "drawn df and vasc": {"datasets": "drawn"},
    "teacher": {"--teacher": "given", "--label-smoothing": "0"},
}
RARE, DRAWN_OF_EACH = ("df", "vasc"), 300


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--start", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--blurred")
    parser.add_argument("--teacher")
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--side", type=int, default=96)
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    names = {Path(folder).name: set(load_dataset(folder)["image_id"]) for folder in chosen.datasets}
    for arm in chosen.arms.split(","):
        for seed in range(chosen.seeds):
            run = chosen.output / f"{arm.replace(' ', '-')}-{seed}"
            if not (run / "metrics.json").is_file():
                train(arm, seed, run, chosen)
            print(f"{arm}, seed {seed}: " + "; ".join(figures(run, names)), flush=True)


def train(arm: str, seed: int, run: Path, chosen: argparse.Namespace) -> None:
    """Train one arm; what fails ends all."""
    changed = ARMS[arm]
    options = (
        RECIPE
        | {"--start": chosen.start}
        | {key: value for key, value in changed.items() if key != "datasets"}
    )
    options |= {"--small-epochs": str(chosen.epochs), "--small-side": str(chosen.side), "--seed": str(seed)}
    options |= {"--input-side": str(chosen.side), "--output": str(run)}
    if options["--start"] == "":
        options["--encoder-weights"] = chosen.weights
    if "--teacher" in options:
        options["--teacher"] = chosen.teacher
    datasets, splits = sources(changed.get("datasets", ""), chosen)
    given = [part for option, value in options.items() if value for part in (option, value)]
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "train",
        "classification",
        *datasets,
        "--splits",
        str(splits),
        *given,
    ]
    with (chosen.output / f"{run.name}.log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=log, check=True)


def sources(which: str, chosen: argparse.Namespace) -> tuple[list[str], Path]:
    """Datasets and split of an arm; what an arm shall not learn from becomes test images, which no training reads."""
    datasets, splits = list(chosen.datasets), pd.read_csv(chosen.splits)
    if which == "blurred":
        return [*datasets, chosen.blurred], chosen.splits
    if which == "first":
        first = splits["image_id"].isin(load_dataset(datasets[0])["image_id"])
        splits.loc[~first & (splits["split"] == "train"), "split"] = "test"
    elif which == "drawn":
        drawn = chosen.output / "drawn"
        if not drawn.is_dir():
            drawn_lesions(drawn)
        datasets.append(str(drawn))
        ids = load_dataset(drawn)["image_id"]
        splits = pd.concat([splits, pd.DataFrame({"image_id": ids, "split": "train"})])
    else:
        return datasets, chosen.splits
    path = chosen.output / f"splits-{which}.csv"
    splits.to_csv(path, index=False)
    return datasets, path


def drawn_lesions(folder: Path) -> None:
    """A dataset of drawn lesions of the rare classes."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for dx in RARE:
        for seed in range(DRAWN_OF_EACH):
            name = f"drawn_{dx}_{seed:04d}"
            Image.fromarray(draw_lesion(seed, dx, (225, 300)).image).save(
                folder / "images" / f"{name}.jpg", quality=90
            )
            rows.append({"image": name, "dx": dx, "lesion_id": name})
    pd.DataFrame(rows).to_csv(folder / "diagnoses.csv", index=False)


def figures(run: Path, names: dict[str, set[str]]) -> list[str]:
    """Figures of a run's validation images, of each dataset apart."""
    table = pd.read_csv(run / "validation_predictions.csv")
    labels = table["dx"].map(CLASSES.index).to_numpy()
    logits = np.log(np.clip(table[list(CLASSES)].to_numpy(), 1e-9, 1))
    first = table["image_id"].isin(next(iter(names.values()))).to_numpy()
    temperature = fit_temperature(logits[first], labels[first])
    found = []
    for name, ids in names.items():
        here = table["image_id"].isin(ids).to_numpy()
        present = np.unique(labels[here])
        if len(present) < 2:
            continue
        probabilities = softmax(logits[here] / temperature)
        aucs = [roc_auc_score(labels[here] == k, probabilities[:, k]) for k in present]
        likelihood = np.log(probabilities[np.arange(here.sum()), labels[here]]).mean()
        recall = recall_score(labels[here], probabilities.argmax(axis=1), labels=present, average="macro")
        error = expected_calibration_error(probabilities, labels[here])
        rare = [
            f", AUC of {dx} {aucs[list(present).index(k)]:.3f}"
            for dx in RARE
            if (k := CLASSES.index(dx)) in present
        ]
        found.append(
            f"{name} ({here.sum()}) AUC {np.mean(aucs):.3f}, log-likelihood {likelihood:.3f}, "
            f"balanced accuracy {recall:.3f}, calibration error {error:.3f}{''.join(rare)}"
        )
    return found


if __name__ == "__main__":
    main()
