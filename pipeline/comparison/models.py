"""LiteRT models of trained runs: what a bundle would hold is what is compared, and it is the fastest way to run it."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from classification.config import ClassificationConfig
from data.files import replacing
from segmentation.engine.run_folder import Run


def converted_run(run: Run) -> Path:
    """The run's model as a LiteRT file in its folder, made at the first call."""
    file = run.folder / "model.tflite"
    if not file.exists():
        import keras  # noqa: PLC0415

        import segmentation.model  # noqa: F401, PLC0415 - registers the layer that the models are made of

        write_litert(keras.models.load_model(run.model_path, compile=False), file)
    return file


def convert_encoder(config: ClassificationConfig, side: int, file: Path) -> Path:
    """A classifier's untrained encoder, uint8 (side, side, 3) -> features (F,), as a LiteRT file, made once."""
    if not file.exists():
        import keras  # noqa: PLC0415

        from classification.model import build_classifier  # noqa: PLC0415

        classifier = build_classifier(
            2, side, config.encoder_weights, encoder=config.encoder, width=config.width
        )
        write_litert(keras.Model(classifier.input, classifier.get_layer("pool").output), file)
    return file


def announce_training(what: str) -> None:
    """Say on standard error which training comes now, and free what Keras keeps of the one before."""
    import keras  # noqa: PLC0415

    keras.utils.clear_session()
    announce(f"training {what}")


def announce(text: str) -> None:
    """Say on standard error what goes on."""
    Console(stderr=True).print(text, highlight=False)


def write_litert(model: Any, file: Path) -> None:
    """Convert a Keras model in float32 and write it in one step."""
    from pipeline.export.conversion import convert  # noqa: PLC0415

    no_samples = np.empty((0, *model.input_shape[1:]), np.uint8)
    with replacing(file) as temporary:
        temporary.write_bytes(convert(model, no_samples, "float32"))
