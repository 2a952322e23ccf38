"""Predictions and references are brought to the same classes before they are compared."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.scoring import label_predictions, score_classification, score_segmentation


def predictions(dx: list[str | None], probabilities: dict[str, list[float]]) -> pd.DataFrame:
    """The columns of an evaluation's table that classification needs."""
    ids = [f"image{number}" for number in range(len(dx))]
    return pd.DataFrame({"image_id": ids, "lesion_id": ids, "dx": dx, **probabilities})


def test_images_without_a_diagnosis_are_left_out() -> None:
    table = predictions(["mel", None, "nv"], {"mel": [0.9, 0.5, 0.2], "nv": [0.1, 0.5, 0.8]})

    labelled = label_predictions(table, ("mel", "nv"))

    assert list(labelled.lesion_ids) == ["image0", "image2"]
    np.testing.assert_array_equal(labelled.labels, [0, 1])
    np.testing.assert_array_equal(labelled.probabilities, [[0.9, 0.1], [0.2, 0.8]])


def test_diagnoses_that_the_bundle_does_not_tell_are_counted_and_left_out() -> None:
    table = predictions(["mel", "scc", "scc", "nv"], {"mel": [0.9] * 4, "nv": [0.1] * 4})

    labelled = label_predictions(table, ("mel", "nv"))

    assert labelled.unknown == {"scc": 2}
    assert len(labelled.labels) == 2
    assert not labelled.grouped


def test_a_bundle_of_diagnoses_is_compared_with_malignant_and_benign_as_groups() -> None:
    table = predictions(["malignant", "benign"], {"bcc": [0.3, 0.1], "mel": [0.3, 0.1], "nv": [0.4, 0.8]})

    labelled = label_predictions(table, ("bcc", "mel", "nv"))

    assert labelled.grouped
    assert labelled.classes == ("benign", "malignant")
    np.testing.assert_array_equal(labelled.labels, [1, 0])
    np.testing.assert_allclose(labelled.probabilities, [[0.4, 0.6], [0.8, 0.2]])


def test_a_bundle_of_groups_is_compared_with_diagnoses_as_groups() -> None:
    table = predictions(["mel", "nv"], {"benign": [0.2, 0.7], "malignant": [0.8, 0.3]})

    labelled = label_predictions(table, ("benign", "malignant"))

    assert labelled.grouped
    np.testing.assert_array_equal(labelled.labels, [1, 0])


def test_a_table_without_any_reference_has_no_scores() -> None:
    table = predictions([None, None], {"mel": [0.5, 0.5], "nv": [0.5, 0.5]})
    table[["jaccard", "dice"]] = np.nan

    labelled = label_predictions(table, ("mel", "nv"))

    assert score_classification(labelled, resamples=10, seed=0) is None
    assert score_segmentation(table, resamples=10, seed=0) is None
    assert not labelled.grouped


def test_only_images_with_a_mask_count_in_segmentation() -> None:
    table = pd.DataFrame(
        {"lesion_id": list("abc"), "jaccard": [0.8, np.nan, 0.6], "dice": [0.9, np.nan, 0.7]}
    )

    scores = score_segmentation(table, resamples=10, seed=0)

    assert scores is not None
    assert scores.count == 2
    assert scores.jaccard.value == pytest.approx(0.7)
