"""The card says what the runs recorded, in Markdown that renders, and nothing of the machine."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from classification.abstention import AbstentionScores
from classification.metrics import ClassificationScores
from pipeline.evaluation.subgroups import score_groups
from pipeline.export.model_card import (
    CALIBRATION_FILE,
    CARD_FILE,
    model_card,
    without_machine_paths,
    write_card,
)
from segmentation.metrics import SegmentationScores

CLASSES = ("mel", "nv")
LABELS = np.array([0, 1] * 20)
PROBABILITIES = np.array([[0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]] * 10)
LESIONS = [f"lesion{number}" for number in range(40)]

SCORES = ClassificationScores.from_predictions(LABELS, PROBABILITIES, CLASSES, LESIONS, resamples=5).to_dict()
MASKS = SegmentationScores.from_values([0.9] * 40, [0.95] * 40, LESIONS, resamples=5).to_dict()
DATASET = {"images": 40, "lesions": 40, "masks": 40, "classes": {"mel": 20, "nv": 20}}
PEOPLE = {
    "sex": {"female": 25, "male": 10, "unknown": 5},
    "age_groups": {"0-29": 5, "30-49": 35},
    "localization": {"lower extremity": 40},
    "dx_type": {"follow_up": 10, "histo": 30},
}


def fields(people: dict | None = None, test: dict | None = None, **facts) -> dict:
    """What a bundle.json holds, as far as the card is concerned."""
    stage = {"split": {"train": 30, "validation": 10}, "training_seconds": 1200}
    training = {
        name: {**stage, "dataset": DATASET | (people or {})} for name in ("segmentation", "classification")
    }
    return {
        "name": "small",
        "classes": CLASSES,
        "view": "crop",
        "threshold": 0.5,
        "crop_margin": 0.25,
        "temperature": 1.25,
        "abstention_threshold": 0.56,
        "precision": {"segmentation": "float16", "classification": "float16"},
        "training": {"licence": "CC BY-NC 4.0", **training},
        "figures": {
            "validation": {"classification": SCORES, "segmentation": MASKS},
            "parity": {"segmentation": {"mean": 1e-4}, "classification": {"mean": 1e-4}},
            **({"test": {"clinic": test}} if test else {}),
        },
        **facts,
    }


@pytest.fixture
def unseen() -> dict:
    """A test entry as an evaluation records it, of forty images of women and men."""
    table = pd.DataFrame({"image_id": LESIONS, "lesion_id": LESIONS, "dx": np.array(CLASSES)[LABELS]})
    catalog = table.assign(sex=["female"] * 38 + ["male"] * 2)
    table["jaccard"] = np.nan
    table[list(CLASSES)] = PROBABILITIES
    marked = PROBABILITIES.max(axis=1) < 0.65
    abstention = AbstentionScores.from_predictions(LABELS, PROBABILITIES, marked, LESIONS, resamples=5)
    groups = score_groups(table, catalog, CLASSES, resamples=5, seed=0)
    return {
        "selection": "40 of 40",
        "command": "lesion evaluate clinic",
        "classification": SCORES,
        "segmentation": None,
        "abstention": abstention.to_dict(),
        "groups": [group.to_dict() for group in groups],
        "marks": {"low confidence": 10},
    }


def assert_renders(card: str) -> None:
    """Every table has an empty line before it and as many cells in every row; no paragraph holds a table's row."""
    lines = card.splitlines()
    for above, line in pairwise(lines):
        if line.startswith("|"):
            assert line.endswith("|")
            assert not above or above.count("|") == line.count("|"), line


def test_a_card_of_runs_that_recorded_little_renders() -> None:
    card = model_card(fields())
    assert_renders(card)
    assert "did not record age, sex and site" in card
    assert "they flatter" in card
    assert "unlike the training images" not in card
    assert (
        "Training took 20 minutes for the segmentation and 20 for the classification, without a GPU" in card
    )


def test_people_and_methods_are_counted() -> None:
    card = model_card(fields(people=PEOPLE))
    assert_renders(card)
    assert "| sex | female 25, male 10, unknown 5 |" in card
    assert "| age | 0-29 5, 30-49 35 |" in card
    assert "| diagnosis by | histo 30, follow up 10 |" in card
    assert "histopathology, the reference standard" in card


def test_unseen_images_come_with_coverage_and_groups(unseen: dict) -> None:
    card = model_card(fields(test=unseen))
    assert_renders(card)
    assert "### clinic: images that no model has seen" in card
    assert "30 of 40 images are not marked (notes given: low confidence 10)" in card
    assert "The first marks a diagnosis as doubtful" in card
    assert "## For whom: clinic by sex" in card
    assert "| sex: female | 38 | 19 | 0.763 (" in card
    assert "| sex: male | 2 | 1 | - | - | - |" in card
    assert "\nlesion evaluate clinic\n" in card


def test_a_bundle_that_knows_familiarity_explains_its_note(unseen: dict) -> None:
    card = model_card(fields(test=unseen, familiarity={"threshold": -3}))
    assert "- **unlike the training images**:" in card
    assert "The first two mark a diagnosis as doubtful" in card


def test_the_calibration_is_that_of_the_unseen_images_where_there_are_some(unseen: dict, tmp_path) -> None:
    assert set(write_card(fields(test=unseen), tmp_path)) == {CARD_FILE, CALIBRATION_FILE}
    assert (tmp_path / CALIBRATION_FILE).read_bytes().startswith(b"\x89PNG")
    assert "Calibration on the unseen images of clinic" in (tmp_path / CARD_FILE).read_text()
    assert "Calibration on the validation images" in model_card(fields())


def test_figures_of_an_earlier_version_have_no_picture(tmp_path) -> None:
    earlier = fields()
    scores = {name: figure for name, figure in SCORES.items() if name != "reliability"}
    earlier["figures"]["validation"]["classification"] = scores
    assert set(write_card(earlier, tmp_path)) == {CARD_FILE}
    assert "calibration.png" not in (tmp_path / CARD_FILE).read_text()


@pytest.mark.parametrize(
    ("command", "portable"),
    [
        (
            "lesion train segmentation /data/HAM10000/ --epochs 0",
            "lesion train segmentation HAM10000 --epochs 0",
        ),
        ("lesion export --output runs/bundle", "lesion export --output runs/bundle"),
        ("lesion x --encoder-weights=/home/me/w.h5", "lesion x --encoder-weights=w.h5"),
        ("lesion x ~/HAM10000 ../ISIC", "lesion x HAM10000 ISIC"),
        ("lesion x '/home/my name/HAM10000'", "lesion x HAM10000"),
        (r"lesion x 'C:\Users\me\HAM10000'", "lesion x HAM10000"),
        ("lesion x /home/o'neill/HAM10000", "lesion x HAM10000"),
    ],
)
def test_paths_of_the_machine_become_base_names(command: str, portable: str) -> None:
    assert without_machine_paths(command) == portable


def test_the_card_says_how_the_diagnosis_is_chosen_and_what_else_was_tried() -> None:
    worth = {"balanced_accuracy": 0.7, "macro_f1": 0.6, "calibration_error": 0.02, "log_likelihood": -0.5}
    told = fields()
    told["figures"]["prior"] = {
        "strength": 0.6,
        "strengths": [worth | {"strength": 0}, worth | {"strength": 0.6, "log_likelihood": -0.45}],
    }
    card = model_card(told)
    assert "the class of the highest calibrated probability" in card
    assert "| 0.6 (here) | 0.700 | 0.600 | 0.020 | -0.450 |" in card
    assert "as if all were equally frequent" in card
    assert "misses more of them" in card
    assert "How it decides" not in model_card(fields())


def test_the_card_of_a_network_that_drew_rare_classes_more_often_says_in_which_shares() -> None:
    worth = {"balanced_accuracy": 0.7, "macro_f1": 0.6, "calibration_error": 0.02, "log_likelihood": -0.5}
    told = fields()
    told["figures"]["prior"] = {
        "strength": None,
        "strengths": [worth | {"strength": 0}],
        "learned_log_shares": {"mel": math.log(0.25), "nv": math.log(0.75)},
    }
    card = model_card(told)
    assert "in the shares in which its training drew them, 25.0% mel, 75.0% nv.\nIt answers so." in card
    assert "(here)" not in card
    assert "equally frequent" not in card


def test_the_card_says_whose_odds_were_raised_and_what_it_was_worth() -> None:
    worth = {"balanced_accuracy": 0.7, "macro_f1": 0.6, "calibration_error": 0.02, "log_likelihood": -0.5}
    told = fields() | {"odds": {"mel": 1.8}}
    told["figures"]["odds"] = [
        worth | {"odds": {}, "recall": {"mel": 0.59}},
        worth | {"odds": {"mel": 1.8}, "recall": {"mel": 0.66}},
    ]
    card = model_card(told)
    assert "the odds of melanoma were multiplied by 1.8" in card
    assert "| as trained | 0.590 | 0.700 | 0.600 | 0.020 | -0.500 |\n| multiplied (here) | 0.660 |" in card
    assert "odds of" not in model_card(fields())


def test_the_card_counts_the_images_of_trainings_before_the_last() -> None:
    told = fields()
    told["training"]["classification"]["earlier_images"] = 12_390
    card = model_card(told)
    assert_renders(card)
    assert (
        "The weights of the classification model come from earlier trainings, too, which had 12,390 images"
        in card
    )
    assert "earlier trainings" not in model_card(fields())
