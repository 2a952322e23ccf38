"""Every setting of a training has an option, with the type and the default that its dataclass gives it."""

from dataclasses import asdict, fields

import pytest
import typer
from typer.testing import CliRunner

from classification.config import ClassificationConfig
from pipeline.cli.settings_options import CLASSIFICATION_OPTIONS, SEGMENTATION_OPTIONS, with_settings
from segmentation.config import SegmentationConfig

KINDS = [(SegmentationConfig, SEGMENTATION_OPTIONS), (ClassificationConfig, CLASSIFICATION_OPTIONS)]


def given(kind, options, *words):
    """The result of a command, and what it gets as its settings."""
    found, app = [], typer.Typer()

    @app.command()
    @with_settings(kind, options)
    def train(settings, name: str = "run") -> None:
        found.append((name, settings))

    return CliRunner().invoke(app, [str(word) for word in words]), found


def settings_of(kind, options, *words):
    result, found = given(kind, options, *words)
    assert result.exit_code == 0, result.output
    return found[0]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_without_options_the_settings_are_the_dataclass_s(kind, options) -> None:
    assert settings_of(kind, options, "--name", "a") == ("a", kind())


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_every_setting_but_the_decoder_s_filters_has_an_option(kind, options) -> None:
    assert {field.name for field in fields(kind)} - options.keys() <= {"decoder_filters"}
    assert options.keys() <= {field.name for field in fields(kind)}


def test_options_change_what_they_name_alone() -> None:
    words = ("--full-epochs", 3, "--only", "mel, nv", "--malignant", "spitz", "--encoder-weights", "none")
    _, settings = settings_of(ClassificationConfig, CLASSIFICATION_OPTIONS, *words)
    changed = {"epochs": 3, "only": ("mel", "nv"), "malignant": ("spitz",), "encoder_weights": None}
    assert asdict(settings) == asdict(ClassificationConfig()) | changed


def test_sources_are_weighed_by_the_names_of_their_folders() -> None:
    words = ("--source-weights", "ISIC2018=2, ISIC2019=0.25")
    _, settings = settings_of(ClassificationConfig, CLASSIFICATION_OPTIONS, *words)
    assert settings.source_weights == {"ISIC2018": 2, "ISIC2019": 0.25}


def test_what_is_no_weight_of_a_source_is_told() -> None:
    result, _ = given(ClassificationConfig, CLASSIFICATION_OPTIONS, "--source-weights", "ISIC2018")
    assert result.exit_code == 2
    assert "write FOLDER=WEIGHT" in result.output
