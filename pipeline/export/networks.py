"""Both networks in float32, of trainings or of a bundle, with what it takes to use their answers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classification.model import load_classifier
from pipeline.bundle.loading import Bundle
from segmentation.engine.run_folder import Run

EXAMPLES = Path(__file__).parents[2] / "data" / "examples" / "images"


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network.

    Attributes
    ----------
    model : keras.Model
    samples : uint8 array (N, H, W, 3)
        Inputs on which a conversion is checked.
    facts : dict of str
        What a user of the network's answers must know, by name.
    made_of : str
        Where the weights come from, in words.
    file : path, optional
        The bundle's LiteRT file that the network was rebuilt from.
    """

    model: Any
    samples: np.ndarray
    facts: dict[str, str]
    made_of: str
    file: Path | None = None


def segmentation_network(source: Run | Bundle) -> Network:
    """The U-Net of a training or, with the file's weights, of a bundle.

    Raises
    ------
    RunError
    """
    if isinstance(source, Bundle):
        return _rebuilt(source, "segmentation", {"threshold": str(source.threshold)})
    model = _load(source)
    facts = {"threshold": str(source.metrics["threshold"])}
    return Network(model, source.samples["validation"], facts, f"training run {source.folder.name}")


def classification_network(source: Run | Bundle, prior_strength: float | None = None) -> Network:
    """The classifier of a training or, with the file's weights, of a bundle.

    Parameters
    ----------
    source : Run or Bundle
    prior_strength : float in 0..1, optional
        Of a run, as `classification.model.load_classifier` takes it.

    Raises
    ------
    RunError
    """
    if isinstance(source, Bundle):
        facts = _classification_facts(
            source.classes,
            source.temperature,
            source.abstention_threshold,
            source.view,
            source.crop_margin,
        )
        return _rebuilt(source, "classification", facts)
    metrics, settings = source.metrics, source.settings
    facts = _classification_facts(
        metrics["classes"],
        metrics["temperature"],
        metrics["abstention_threshold"],
        settings["view"],
        settings["margin"],
    )
    model = load_classifier(source, prior_strength)
    return Network(model, source.samples["validation"], facts, f"training run {source.folder.name}")


def _classification_facts(
    classes: Any, temperature: float, abstention_threshold: float, view: str, crop_margin: float
) -> dict[str, str]:
    return {
        "classes": json.dumps(list(classes)),
        "temperature": str(temperature),
        "abstention_threshold": str(abstention_threshold),
        "view": view,
        "crop_margin": str(crop_margin),
    }


def _rebuilt(bundle: Bundle, stage: str, facts: dict[str, str]) -> Network:
    from pipeline.export.rebuilding import inputs_of, rebuilt_model  # noqa: PLC0415

    file = bundle.segmentation_path if stage == "segmentation" else bundle.classification_path
    precision = getattr(bundle, stage).precision
    samples = inputs_of(bundle, stage, sorted(EXAMPLES.glob("*.jpg")))
    made_of = f"{precision} weights in {file.name} of the bundle {bundle.name}, computed with in float32"
    return Network(rebuilt_model(bundle, stage, samples), samples, facts, made_of, file)


def _load(run: Run) -> Any:
    import keras  # noqa: PLC0415

    import segmentation.engine.normalization  # noqa: F401, PLC0415 - knows a layer of the saved model

    return keras.models.load_model(run.model_path, compile=False)
