"""A classifier that starts from another one keeps what both know."""

import numpy as np
import pytest

from classification.model import build_classifier
from classification.starting import start_from
from segmentation.engine.run_folder import RunError


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
