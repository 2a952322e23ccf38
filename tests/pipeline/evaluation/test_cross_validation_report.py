"""The page of a cross-validation tells each class and each fold, and needs no other file."""

import numpy as np
import pandas as pd
import pytest

from classification.metrics import ClassificationScores
from pipeline.evaluation.cross_validation_report import write_cross_validation

CLASSES = ("mel", "nv")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of two folds: all right in the first, half right in the second."""
    folder = tmp_path_factory.mktemp("folds")
    ids = [f"<{number}>" for number in range(8)]
    table = pd.DataFrame(
        {"image_id": ids, "lesion_id": ids, "dx": ["mel", "nv"] * 4, "fold": [1] * 4 + [2] * 4}
    )
    table["mel"] = [0.9, 0.2] * 2 + [0.9, 0.8] * 2
    table["nv"] = 1 - table["mel"]
    table.to_csv(folder / "out-of-fold.csv", index=False)
    labels = table["dx"].map(CLASSES.index).to_numpy(int)
    scores = ClassificationScores.from_predictions(
        labels, table[list(CLASSES)].to_numpy(float), CLASSES, np.array(ids), resamples=20
    )
    written = write_cross_validation(scores, folder, {"Seed": "0", "Command": "lesion train <x>"})
    return written.read_text(encoding="utf-8")


def test_every_class_has_its_f1_and_support(page: str) -> None:
    assert "8 images of 8 lesions" in page
    # F1 of mel: 4 right, 2 taken for it wrongly; of nv: 2 right, 2 missed.
    for f1 in (2 * 4 / (4 + 6), 2 * 2 / (2 + 4)):
        assert f'<span class="value">{f1:.3f}</span>' in page


def test_every_fold_has_its_own_figure(page: str) -> None:
    for fold, accuracy in ((1, 1.0), (2, 0.5)):
        row = f'<tr><th scope="row">{fold}</th><td>4</td><td><span class="value">{accuracy:.3f}</span></td></tr>'
        assert row in page


def test_the_page_stands_alone_and_names_are_escaped(page: str) -> None:
    assert "lesion train &lt;x&gt;" in page
    assert 'src="http' not in page
    assert page.count("data:image") >= 3
