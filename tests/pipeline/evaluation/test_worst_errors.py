"""The worst errors are the most confident wrong diagnoses."""

import pandas as pd

from pipeline.evaluation.worst_errors import rank_errors


def table() -> pd.DataFrame:
    rows = [
        ("right", "mel", "mel", 0.9, 0.05, 0.05),
        ("unsure", "nv", "mel", 0.5, 0.4, 0.1),
        ("sure", "nv", "mel", 0.8, 0.1, 0.1),
        ("other", "df", "mel", 0.9, 0.05, 0.05),
        ("unlabelled", None, "mel", 0.9, 0.05, 0.05),
        ("bcc-as-mel", "bcc", "mel", 0.95, 0.0, 0.05),
    ]
    return pd.DataFrame(rows, columns=["image_id", "dx", "diagnosis", "mel", "nv", "bcc"])


def test_the_surest_wrong_diagnosis_comes_first() -> None:
    ranked = rank_errors(table(), ("mel", "nv", "bcc"))
    assert list(ranked["image_id"]) == ["bcc-as-mel", "sure", "unsure"]
    assert list(ranked["probability_of_reference"]) == [0.05, 0.1, 0.4]


def test_between_groups_a_malignant_class_for_another_is_no_error() -> None:
    ranked = rank_errors(table(), ("mel", "nv", "bcc"), grouped=True)
    assert list(ranked["image_id"]) == ["other", "sure", "unsure"]


def test_no_error_gives_no_row() -> None:
    assert rank_errors(table().head(1), ("mel", "nv", "bcc")).empty
