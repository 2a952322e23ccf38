"""`lesion compare`: options become settings, and mistakes one line."""

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from classification.config import ClassificationConfig
from pipeline.cli import lesion as cli
from pipeline.comparison.config import ComparisonConfig
from segmentation.engine.starting import reading_encoder_weights


@pytest.fixture
def lesion():
    """A function that runs the command in this process; the result has exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(cli.app, ["compare", *map(str, arguments)])


class AskedFor(Exception):  # noqa: N818 - it carries what the command asked for
    """Stops the command where the comparison would start."""

    def __init__(self, catalog: pd.DataFrame, config: ComparisonConfig, output: Path) -> None:
        super().__init__()
        self.catalog, self.config, self.output = catalog, config, output


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch, lesion, drawn_catalog: pd.DataFrame, tmp_path: Path):
    """A function (options) -> what the comparison would be called with."""

    def compare(catalog, config, output, _bundle, **_):
        raise AskedFor(catalog, config, output)

    monkeypatch.setattr("pipeline.comparison.running.compare", compare)
    dataset = Path(drawn_catalog["image_path"][0]).parents[1]

    def ask(*options) -> AskedFor:
        result = lesion(dataset, "--output", tmp_path, *options)
        assert isinstance(result.exception, AskedFor), result.output
        return result.exception

    return ask


def test_the_defaults_are_the_arms_that_answer_the_question_three_times(asked_for) -> None:
    config = asked_for().config
    assert [arm.name for arm in config.chosen_arms] == ["full", "crop", "centre-crop", "both"]
    assert (config.seeds, config.quick, config.smallest_difference) == (3, False, 0.02)
    assert config.classification.encoder_weights == "imagenet"


def test_quick_is_small(asked_for) -> None:
    quick, full = asked_for("--quick").config, asked_for().config
    assert quick.quick
    assert quick.input_side < full.input_side
    assert 0 < quick.most_masks < 2000


@pytest.mark.parametrize("kind", [(), ("--quick",)])
def test_the_masks_to_learn_from_can_be_limited(asked_for, kind: tuple[str, ...]) -> None:
    assert asked_for("--most-masks", "50", *kind).config.most_masks == 50


def test_a_run_lends_its_settings_and_options_outrank_them(asked_for, tmp_path: Path) -> None:
    settings = {
        **asdict(
            ClassificationConfig(
                width=0.35, epochs=2, encoder_weights=None, source_weights={"elsewhere": 2.0}
            )
        ),
        "segmentation": None,
    }
    (tmp_path / "config.json").write_text(json.dumps({"stage": "classification", "settings": settings}))
    (tmp_path / "model.keras").touch()
    config = asked_for("--like", tmp_path, "--full-epochs", "7").config
    assert (config.classification.width, config.classification.epochs) == (0.35, 7)
    assert config.classification.encoder_weights is None
    assert config.classification.source_weights == {}
    assert config.segmentation.encoder_weights is None
    trained = config.of_arm(config.chosen_arms[1], seed=5)
    assert (trained.view, trained.margin, trained.jitter, trained.seed) == ("crop", 0.25, 0.0, 5)


def test_no_training_of_a_comparison_stops_early(asked_for) -> None:
    config = asked_for("--small-epochs", "4", "--full-epochs", "2", "--head-epochs", "1").config
    assert config.of_arm(config.chosen_arms[0], seed=0).patience > 7


def test_a_limit_takes_some_of_the_lesions(asked_for, drawn_catalog: pd.DataFrame) -> None:
    assert len(asked_for("--limit", "20").catalog) <= 20
    assert len(asked_for().catalog) == len(drawn_catalog)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--head-epochs", 0, "--small-epochs", 0, "--epochs", 0], "give one epoch or more"),
        (["--input-side", 100], "full phase can't be 100 x 100"),
        (["--arms", "zoom"], "there is no arm zoom; choose from full, crop"),
        (["--arms", "full"], "there is nothing to compare full with; name another arm, such as crop."),
        (["--like", "nowhere"], "nowhere: is not a folder"),
    ],
)
def test_mistakes_are_one_line(lesion, drawn_catalog, tmp_path: Path, options: list, message: str) -> None:
    dataset = Path(drawn_catalog["image_path"][0]).parents[1]
    result = lesion(dataset, "--output", tmp_path, *options)
    assert result.exit_code == 2
    *before, last = result.stderr.splitlines()
    assert last.startswith("lesion: ") and message in last
    assert all("quiet cores" in line for line in before)


def test_ctrl_c_says_how_to_go_on(lesion, drawn_catalog, tmp_path: Path, monkeypatch) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.comparison.running.compare", interrupted)
    result = lesion(Path(drawn_catalog["image_path"][0]).parents[1], "--output", tmp_path)
    assert result.exit_code == 130
    assert "give the same command again to go on" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals that other systems don't have")
@pytest.mark.parametrize(("sent", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_wish_to_end_says_so_too(lesion, drawn_catalog, tmp_path: Path, monkeypatch, sent, status) -> None:
    monkeypatch.setattr(
        "pipeline.comparison.running.compare", lambda *_, **__: signal.raise_signal(getattr(signal, sent))
    )
    result = lesion(Path(drawn_catalog["image_path"][0]).parents[1], "--output", tmp_path)
    assert result.exit_code == status
    assert "ended; give the same command again to go on" in result.stderr


def test_weights_that_can_not_be_downloaded_can_be_given(
    lesion, drawn_catalog, tmp_path: Path, monkeypatch
) -> None:
    def offline(*_, **__):
        with reading_encoder_weights("imagenet", "mobilenetv2"):
            raise Exception("URL fetch failure on https://example.org: no route to host")  # as Keras has it

    monkeypatch.setattr("pipeline.comparison.running.compare", offline)
    result = lesion(Path(drawn_catalog["image_path"][0]).parents[1], "--output", tmp_path)
    assert result.exit_code == 2
    assert "give their file with --encoder-weights FILE" in result.stderr
