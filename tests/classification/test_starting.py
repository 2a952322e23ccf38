"""A classifier that starts from another one keeps what both know."""

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from classification.model import build_classifier
from classification.starting import mean_classifier, start_from
from segmentation.engine.run_folder import Run, RunError


@pytest.fixture(scope="module")
def source():
    return build_classifier(2, 32, None, width=0.35)


def test_classes_that_both_know_get_the_same_logits(source) -> None:
    model = build_classifier(3, 32, None, width=0.35)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)

    new = start_from(model, source, ("bcc", "mel", "nv"), ("nv", "bcc"))

    assert new == ["mel"]
    assert model.predict_on_batch(image)[0, [2, 0]] == pytest.approx(
        source.predict_on_batch(image)[0], rel=1e-5
    )


def test_another_width_is_refused(source) -> None:
    with pytest.raises(RunError, match="another encoder; give the same --width"):
        start_from(build_classifier(2, 32, None, width=0.5), source, ("a", "b"), ("a", "b"))


def run_of(model, folder: Path, classes: list[str]) -> Mock:
    """A run's folder, model and classes."""
    path = folder / "model.keras"
    folder.mkdir()
    model.save(path)
    return Mock(spec=Run, folder=folder, model_path=path, metrics={"classes": classes})


def test_the_mean_network_has_the_mean_weights(source, tmp_path: Path) -> None:
    other = build_classifier(2, 32, None, width=0.35)
    runs = [
        run_of(model, tmp_path / name, ["nv", "bcc"]) for model, name in ((source, "one"), (other, "two"))
    ]
    for mean, one, two in zip(
        mean_classifier(runs).get_weights(), source.get_weights(), other.get_weights(), strict=True
    ):
        assert mean == pytest.approx((one + two) / 2, abs=1e-6)
    strange = run_of(other, tmp_path / "three", ["nv", "mel"])
    with pytest.raises(RunError, match="three has another network or other classes"):
        mean_classifier([runs[0], strange])
