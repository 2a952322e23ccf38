"""What a training says when it has ended."""

from pathlib import Path

import pytest

from pipeline.cli.training_messages import report_classification


@pytest.mark.parametrize("missing", [[], ["df", "vasc"]])
def test_classes_that_validation_lacks_are_named(missing: list[str], capsys: pytest.CaptureFixture) -> None:
    figure = {"value": 0.5}
    metrics = {
        "validation": {"without_support": missing, "balanced_accuracy": figure, "macro_f1": figure},
        "interrupted": False,
        "images_per_second": 30.0,
        "input_images_per_second": 900.0,
        "model_images_per_second": None,
    }
    report_classification(metrics, Path("run"))
    printed = capsys.readouterr()
    assert "run: validation balanced accuracy 0.500" in printed.out
    assert ("validation had no image of df, vasc, " in printed.err) == bool(missing)
