"""Trained Keras models -> a bundle, with a check that LiteRT says what Keras says."""

import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from classification.model import load_classifier, with_activation_map
from classification.priors import ClassPrior
from classification.probabilities import softmax
from data.splits import joined_splits, write_splits
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import DEFAULT_BUNDLE, SHIPPED, Bundle
from pipeline.bundle.saving import save_bundle
from pipeline.export.conversion import convert
from pipeline.export.model_card import without_machine_paths, write_card
from pipeline.export.parity import ExportError, Parity, check_parity
from pipeline.export.segmentation_part import (
    SegmentationPart,
    identity,
    mixed_tests,
    other_segmentation,
    probabilities,
)
from segmentation.engine.run_folder import Run

__all__ = ["ExportError", "export", "licence_of"]

LICENCE = (
    "The weights follow the licence of the images they learned from; for HAM10000 and the ISIC challenges that is "
    "CC BY-NC 4.0: research and teaching, no commercial use."
)


def export(
    segmentation: Run | Bundle,
    classification: Run,
    output: str | Path,
    *,
    precision: str = "float32",
    name: str | None = None,
    prior_strength: float | None = None,
    warn: Callable[[str], object] = lambda _: None,
) -> Bundle:
    """Convert both trained models to LiteRT and write them as a bundle.

    Parameters
    ----------
    segmentation, classification : Run
        Their `samples.npz` hold the real images that calibrate int8 and check every precision. In the place of a
        segmentation run a bundle gives its own U-Net, as it is.
    output : path
        The bundle's folder.
    precision : "float32", "float16" or "int8"
    name : str, optional
        By default the name of the folder.
    prior_strength : float in 0..1, optional
        How much the classes' shares count in a classifier that was trained with logit adjustment; by default what its
        training has chosen. Temperature and abstention threshold stay as the training has measured them: calibrate the
        bundle afterwards.
    warn : function of a sentence
        Called where the trainings were split separately, so that fewer images are left to test on, and where the
        crops of the training came from another segmentation.

    Raises
    ------
    ExportError
        If a converted model differs from its Keras model by more than `TOLERANCES`.
    BundleError, RunError
    """
    with tempfile.TemporaryDirectory() as temporary:
        files = {stage: Path(temporary) / f"{stage}.tflite" for stage in ("segmentation", "classification")}
        part = (
            SegmentationPart.of_bundle(segmentation)
            if isinstance(segmentation, Bundle)
            else _converted_segmentation(segmentation, precision)
        )
        files["segmentation"].write_bytes(part.content)
        parity = _convert_classification(classification, files["classification"], precision, prior_strength)
        fields = _fields(part, classification, precision, parity, name or Path(output).name, prior_strength)
        fields["training"]["export_command"] = _command(
            segmentation, classification, precision, name, output, prior_strength
        )
        for warning in (
            mixed_tests(part.splits, classification.splits),
            other_segmentation(classification, identity(segmentation)),
        ):
            if warning:
                warn(warning)
        splits = Path(temporary) / "splits.csv"
        write_splits(joined_splits(part.splits, classification.all_splits), splits)
        contents = {f"{stage}.tflite": file for stage, file in files.items()}
        card = write_card(fields, Path(temporary))
        return save_bundle(fields, {**contents, "splits.csv": splits, **card}, output)


def licence_of(source: Run | Bundle) -> str:
    """What a bundle's manifest says of its licence, or would say."""
    return str(source.training.get("licence", LICENCE)) if isinstance(source, Bundle) else LICENCE


def _converted_segmentation(run: Run, precision: str) -> SegmentationPart:
    model, samples = _load_model(run), run.samples
    content = convert(model, samples["calibration"], precision)
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        Path(file.name).write_bytes(content)
        found = probabilities(LiteRTModel(file.name), samples["validation"])
    differences = np.abs(model.predict(samples["validation"], verbose=0) - found)
    return SegmentationPart(
        content=content,
        precision=precision,
        threshold=run.metrics["threshold"],
        training=_training_facts(run),
        validation=run.metrics["validation"],
        parity=check_parity("the segmentation model", precision, differences).to_dict(),
        splits=run.all_splits,
    )


def _convert_classification(
    run: Run, file: Path, precision: str, prior_strength: float | None = None
) -> Parity:
    model, samples = with_activation_map(load_classifier(run, prior_strength)), run.samples
    file.write_bytes(convert(model, samples["calibration"], precision))
    expected = softmax(model.predict(samples["validation"], verbose=0)[0])
    converted = LiteRTModel(file)
    found = softmax(np.stack([converted(image)[0] for image in samples["validation"]]))
    same = float(np.mean(expected.argmax(axis=1) == found.argmax(axis=1)))
    return check_parity("the classification model", precision, np.abs(expected - found), same)


def _load_model(run: Run) -> Any:
    import keras  # noqa: PLC0415

    return keras.models.load_model(run.model_path, compile=False)


def _fields(
    segmentation: SegmentationPart,
    classification: Run,
    precision: str,
    parity: Parity,
    name: str,
    prior_strength: float | None = None,
) -> dict[str, Any]:
    settings, metrics = classification.settings, classification.metrics
    return {
        "name": name,
        "classes": metrics["classes"],
        "threshold": segmentation.threshold,
        "view": settings["view"],
        "crop_margin": settings["margin"],
        "temperature": metrics["temperature"],
        "abstention_threshold": metrics["abstention_threshold"],
        **_optional_facts(metrics),
        "malignant": [name for name in settings.get("malignant") or [] if name in metrics["classes"]],
        "precision": {"segmentation": segmentation.precision, "classification": precision},
        "training": {
            "licence": LICENCE,
            "segmentation": segmentation.training,
            "classification": _training_facts(classification),
        },
        "figures": {
            "validation": {
                "segmentation": segmentation.validation,
                "classification": metrics.get("second_look", metrics)["validation"],
                "classification_with_flips": metrics.get("flips", {}).get("validation"),
            },
            "parity": {"segmentation": segmentation.parity, "classification": parity.to_dict()},
            **_prior(metrics, prior_strength),
        },
    }


def _prior(metrics: dict[str, Any], prior_strength: float | None) -> dict[str, Any]:
    """What the classes' shares count in the classifier, and what other strengths were worth."""
    known = ClassPrior.from_metrics(metrics)
    if known is None or "prior_strengths" not in metrics:
        return {}
    classes = metrics["classes"]
    prior = {
        "strength": known.strength if prior_strength is None else prior_strength,
        "strengths": metrics["prior_strengths"],
        "log_shares": dict(zip(classes, known.shares.tolist(), strict=True)),
        "learned_log_shares": dict(zip(classes, known.learned.tolist(), strict=True)),
    }
    return {"prior": prior}


def _optional_facts(metrics: dict[str, Any]) -> dict[str, Any]:
    """The facts that a run of an earlier version did not record."""
    facts = {"familiarity": metrics["familiarity"]} if "familiarity" in metrics else {}
    calibration = ("temperature", "abstention_threshold")
    for name, keys in (("flips", calibration), ("second_look", ("below_confidence", *calibration))):
        if name in metrics:
            facts[name] = {key: metrics[name][key] for key in keys}
    return facts


def _command(
    segmentation: Run | Bundle,
    classification: Run,
    precision: str,
    name: str | None,
    output: str | Path,
    prior_strength: float | None = None,
) -> str:
    """The command that makes this bundle of these runs."""
    options = {
        "--segmentation": SHIPPED if segmentation.folder == DEFAULT_BUNDLE else segmentation.folder,
        "--classification": classification.folder,
        "--precision": precision,
        "--name": name,
        "--prior-strength": None if prior_strength is None else str(prior_strength),
        "--output": output,
    }
    words = [str(word) for option, value in options.items() if value for word in (option, value)]
    return without_machine_paths(shlex.join(["lesion", "export", *words]))


def _training_facts(run: Run) -> dict[str, Any]:
    """What the run's folder says of its data and settings, without paths of the machine that trained it."""
    settings = {key: value for key, value in run.settings.items() if key != "encoder_weights"}
    pretrained = "none" if run.settings["encoder_weights"] is None else "ImageNet or a file"
    every = run.all_splits
    return {
        "dataset": run.config["dataset"],
        "earlier_images": int(
            (~every["image_id"].isin(run.splits["image_id"]) & (every["split"] != "test")).sum()
        ),
        "split": {part: int(count) for part, count in run.splits["split"].value_counts().items()},
        "settings": {**settings, "encoder_weights": pretrained},
        "packages": run.config["packages"],
        "command": without_machine_paths(run.config["command"]),
        "training_seconds": run.metrics["training_seconds"],
        "cores": run.metrics.get("cores"),
    }
