"""A cross-validation's out-of-fold answers -> one page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import balanced_accuracy_score

from classification.metrics import ClassificationScores
from data.files import write_text
from data.written_tables import read_written_table
from pipeline.evaluation.report import KEY_FIGURES, diagnosis_plots, report_environment

REPORT_FILE = "report.html"


def write_cross_validation(scores: ClassificationScores, folder: Path, facts: Mapping[str, str]) -> Path:
    """Write `report.html` beside the `out-of-fold.csv` that `cross_validate` has left.

    Parameters
    ----------
    scores : ClassificationScores
        Of all out-of-fold answers.
    folder : Path
    facts : mapping
        Name -> what the page tells of how the figures came about.

    Returns
    -------
    Path of the page, which needs no other file and no network.
    """
    table = read_written_table(folder / "out-of-fold.csv")
    labels = table["dx"].map(list(scores.classes).index).to_numpy(int)
    averages = scores.averages()
    page = (
        report_environment()
        .get_template("cross_validation.html")
        .render(
            scores=scores,
            key_figures={name: averages[name] for name in KEY_FIGURES if name in averages},
            folds=[_fold(fold, part) for fold, part in table.groupby("fold")],
            plots=list(
                diagnosis_plots(
                    scores, labels, table[list(scores.classes)].to_numpy(float), tuple(scores.classes)
                )
            ),
            facts=facts,
        )
    )
    write_text(folder / REPORT_FILE, page)
    return folder / REPORT_FILE


def _fold(name: object, part: pd.DataFrame) -> dict[str, Any]:
    answers = part.drop(columns=["image_id", "lesion_id", "dx", "fold"]).astype(float).idxmax(axis=1)
    return {
        "name": name,
        "images": len(part),
        "balanced_accuracy": balanced_accuracy_score(part["dx"], answers),
    }
