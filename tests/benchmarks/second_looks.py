"""What a second look is worth, by how many images get one: validation images of a bundle, each dataset apart.

For each part of the images, the least sure, the answers are averaged over the four flips of the view; the others keep
that of the first look. One temperature is fitted to all datasets together, as `lesion calibrate` does. "Looks" is the
classifier's work, in looks an image.

Run: python tests/benchmarks/second_looks.py DATASET DATASET... [--bundle BUNDLE] [--parts 0,0.1,1]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score, recall_score, roc_auc_score

from classification.calibration import expected_calibration_error, fit_temperature
from classification.probabilities import softmax
from classification.test_time_augmentation import FLIPS, after_second_look, confidence_of_part, is_unsure
from pipeline import LesionPipeline
from pipeline.bundle.loading import load_bundle
from pipeline.export.calibrating import Answers, answers_to, sources_of

PARTS = "0,0.05,0.1,0.12,0.15,0.2,0.3,0.5,1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--bundle")
    parser.add_argument("--parts", default=PARTS)
    chosen = parser.parse_args()
    pipeline = LesionPipeline.load(load_bundle(chosen.bundle), tta=True)
    sources = sources_of(chosen.datasets, pipeline.bundle, most=1)
    answers = {Path(source.name).name: answers_to(pipeline, source.validation) for source in sources}
    print(
        "part, source (images, looked at again, looks): log-likelihood, AUC, balanced accuracy, F1, calibration error"
    )
    for part in map(float, chosen.parts.split(",")):
        for row in rows(answers, pipeline.bundle.temperature, part):
            print(f"{part:g}, {row}")


def rows(answers: dict[str, Answers], temperature: float, part: float) -> Iterator[str]:
    """A line for each source with a second look at `part` of the images of all."""
    known = {name: said.labels >= 0 for name, said in answers.items()}
    first = np.concatenate([said.logits[known[name]] for name, said in answers.items()])
    below = confidence_of_part(first, temperature, part) if part < 1 else 2.0
    decided = {
        name: after_second_look(said.logits, said.averaged, temperature, below)[known[name]]
        for name, said in answers.items()
    }
    labels = {name: said.labels[known[name]] for name, said in answers.items()}
    fitted = fit_temperature(np.concatenate(list(decided.values())), np.concatenate(list(labels.values())))
    for name, logits in decided.items():
        again = is_unsure(answers[name].logits[known[name]], temperature, below).mean()
        looks = 1 + (len(FLIPS) - 1) * again
        yield f"{name} ({len(logits)}, {again:.3f}, {looks:.2f}): {figures(softmax(logits / fitted), labels[name])}"


def figures(probabilities: np.ndarray, labels: np.ndarray) -> str:
    present = np.unique(labels)
    named = probabilities.argmax(axis=1)
    auc = np.mean([roc_auc_score(labels == k, probabilities[:, k]) for k in present])
    numbers = (
        np.log(probabilities[np.arange(len(labels)), labels]).mean(),
        auc,
        recall_score(labels, named, labels=present, average="macro"),
        f1_score(labels, named, labels=present, average="macro"),
        expected_calibration_error(probabilities, labels),
    )
    return ", ".join(f"{number:.3f}" for number in numbers)


if __name__ == "__main__":
    main()
