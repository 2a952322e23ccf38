"""An evaluation -> a folder with figures for programs, tables for people, and one page that shows both."""

import json
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np
from jinja2 import Environment

from classification.metrics import ClassificationScores
from data.datasets.diagnoses import diagnosis_name
from data.files import replacing, write_text
from data.intervals import Interval
from pipeline.evaluation.evaluation import Evaluation
from pipeline.evaluation.predictions_table import write_predictions
from pipeline.reports.pages import template_environment
from pipeline.reports.pictures import compared_masks, jpeg_uri, outlined
from pipeline.reports.plots import (
    Plot,
    confusion_figure,
    jaccard_figure,
    png_bytes,
    reliability_figure,
    risk_coverage_figure,
    roc_figure,
    themed_plot,
)

# What the report shows large, in this order, where it is there.
KEY_FIGURES = (
    "Balanced accuracy",
    "Macro F1",
    "Melanoma sensitivity at 0.85 specificity",
    "Malignant against benign, AUC",
)


def write_evaluation(evaluation: Evaluation, folder: str | Path) -> Path:
    """Write `metrics.json`, `predictions.csv`, `confusion.png` (where diagnoses were scored) and `report.html`.

    Returns the path of the report. Each file appears whole; files of an earlier evaluation are replaced.
    """
    folder = Path(folder)
    figures = json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(folder / "metrics.json", figures + "\n")
    write_predictions(evaluation.predictions, folder / "predictions.csv")
    if evaluation.classification:
        scores = evaluation.classification
        with replacing(folder / "confusion.png") as temporary:
            temporary.write_bytes(png_bytes(confusion_figure(scores.confusion, scores.classes)))
    write_text(folder / "report.html", render_report(evaluation))
    return folder / "report.html"


def render_report(evaluation: Evaluation) -> str:
    """The evaluation as one html page that needs no other file and no network."""
    return (
        report_environment()
        .get_template("report.html")
        .render(
            evaluation=evaluation,
            facts=evaluation.facts.shown(),
            left_out=list(evaluation.left_out.sentences()),
            key_figures=key_figures(evaluation),
            plots=list(_classification_plots(evaluation)),
            histogram=_jaccard_plot(evaluation),
            groups=[list(group) for _, group in groupby(evaluation.groups, key=attrgetter("kind"))],
            errors=[
                (error, jpeg_uri(outlined(error.image, error.mask))) for error in evaluation.worst_errors
            ],
            examples=[
                (example, jpeg_uri(compared_masks(example.image, example.mask, example.reference)))
                for example in evaluation.examples
            ],
        )
    )


def report_environment() -> Environment:
    """Jinja's environment for pages with the tables of `figures.html`."""
    environment = template_environment()
    environment.globals.update(is_defined=np.isfinite, diagnosis_name=diagnosis_name)
    return environment


def key_figures(evaluation: Evaluation) -> dict[str, Interval]:
    """The few figures that a reader looks for first, by name."""
    figures = evaluation.classification.averages() if evaluation.classification else {}
    chosen = {name: figures[name] for name in KEY_FIGURES if name in figures}
    return chosen | ({"Mean Jaccard": evaluation.segmentation.jaccard} if evaluation.segmentation else {})


def _classification_plots(evaluation: Evaluation) -> Iterator[Plot]:
    if evaluation.classification is None:
        return
    labelled = evaluation.labelled
    yield from diagnosis_plots(
        evaluation.classification, labelled.labels, labelled.probabilities, labelled.classes
    )
    if abstention := evaluation.abstention:
        yield themed_plot(
            "Risk and coverage",
            "Wrong diagnoses among the most confident part of the images; over all coverages their mean share is "
            f"{abstention.mean_risk:.3f}. The notes leave {abstention.coverage.value:.0%} of the images.",
            lambda theme: risk_coverage_figure(abstention, theme),
        )


def diagnosis_plots(
    scores: ClassificationScores, labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]
) -> Iterator[Plot]:
    """Confusion, ROC curves where they are defined, and reliability of N images and C classes.

    Parameters
    ----------
    scores : ClassificationScores
    labels : int array (N,)
    probabilities : array (N, C)
    classes : C names
    """
    yield themed_plot(
        "Confusion matrix",
        f"Counts of reference against diagnosis. {_commonest_confusion(scores)}",
        lambda theme: confusion_figure(scores.confusion, scores.classes, theme),
    )
    if np.isfinite(scores.macro_auc.value):
        yield themed_plot(
            "ROC curves",
            f"One curve a class against the rest; the mean area under them is {scores.macro_auc}.",
            lambda theme: roc_figure(labels, probabilities, classes, theme),
        )
    yield themed_plot(
        "Reliability",
        f"Accuracy over confidence; the expected calibration error is {scores.calibration_error}.",
        lambda theme: reliability_figure(scores.reliability, theme),
    )


def _jaccard_plot(evaluation: Evaluation) -> Plot | None:
    if evaluation.segmentation is None:
        return None
    jaccards = evaluation.predictions["jaccard"].dropna().to_numpy(float)
    description = f"Images by Jaccard; the median is {np.median(jaccards):.3f}."
    return themed_plot("Jaccard of every image", description, lambda theme: jaccard_figure(jaccards, theme))


def _commonest_confusion(scores: ClassificationScores) -> str:
    mistakes = scores.confusion * (1 - np.eye(len(scores.classes), dtype=int))
    reference, diagnosis = np.unravel_index(mistakes.argmax(), mistakes.shape)
    if not mistakes.any():
        return "No image is named wrongly."
    classes, count = scores.classes, mistakes[reference, diagnosis]
    return f"The most frequent mistake is {classes[reference]} named {classes[diagnosis]}: {count} images."
