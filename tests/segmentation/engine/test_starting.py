"""A training that can't come to anything is refused before it has begun, with what to change."""

from pathlib import Path

import pytest

from segmentation.config import SegmentationConfig
from segmentation.engine.run_folder import RunError
from segmentation.engine.starting import check_phases, reading_encoder_weights
from segmentation.model import build_unet


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"small_epochs": 0, "epochs": 0}, "give one epoch or more", id="no epochs"),
        pytest.param(
            {"small_size": (50, 64)}, "small phase can't be 50 x 64; .* multiples of 32", id="small size"
        ),
        pytest.param({"input_size": (33, 64)}, "full phase can't be 33 x 64", id="input size"),
        pytest.param({"input_size": (64, 0)}, "full phase can't be 64 x 0", id="nothing"),
    ],
)
def test_phases_that_can_not_be_trained_are_refused(settings: dict, reason: str) -> None:
    with pytest.raises(RunError, match=reason):
        check_phases(SegmentationConfig(**settings).phases)


def test_the_size_of_a_phase_without_epochs_does_not_matter() -> None:
    check_phases(SegmentationConfig(small_size=(50, 64), small_epochs=0).phases)


def test_a_text_file_is_no_encoder(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    file.write_text("These are not the weights.")
    with pytest.raises(
        RunError, match=r"weights\.h5: can't be read as weights of mobilenetv2 .* give another"
    ):
        build_unet((32, 64), file)


def test_weights_that_can_not_be_downloaded_are_to_be_given() -> None:
    with (
        pytest.raises(RunError, match=r"ImageNet weights can't be downloaded .* --encoder-weights FILE"),
        reading_encoder_weights("imagenet", "mobilenetv2"),
    ):
        raise Exception("URL fetch failure on https://weights: None -- Network is unreachable")


def test_other_mistakes_are_not_blamed_on_the_weights() -> None:
    with pytest.raises(ZeroDivisionError), reading_encoder_weights(None, "mobilenetv2"):
        _ = 1 / 0


def test_an_encoder_that_is_not_offered_is_told_what_is() -> None:
    with pytest.raises(RunError, match=r"no encoder is called vgg16; give one of mobilenetv2, .*resnet18"):
        build_unet((32, 64), None, encoder="vgg16")
