"""A folder as the Hugging Face Hub shows it: a bundle, its networks as ONNX, and a model card with metadata."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from data.files import write_text
from pipeline.bundle.loading import MANIFEST_FILE, Bundle
from pipeline.bundle.saving import copy_bundle
from pipeline.export.model_card import CARD_FILE
from pipeline.export.networks import Network
from pipeline.export.onnx_files import write_onnx
from pipeline.export.parity import Parity
from pipeline.reports.pages import TEMPLATES, template_environment
from segmentation.engine.run_folder import FORMER_SETTINGS

HUB_CARD, ONNX_FOLDER = "README.md", "onnx"
LICENCE_IDS = {"CC BY-NC 4.0": "cc-by-nc-4.0"}
TAGS = ("dermoscopy", "skin-lesion", "melanoma", "medical", "image-segmentation", "litert", "onnx")

# Figure in a recorded evaluation -> the Hub's name for its kind, and what it is called.
CLASSIFICATION_METRICS = {
    "balanced_accuracy": ("balanced_accuracy", "balanced accuracy"),
    "macro_f1": ("f1", "F1, mean over the classes"),
    "macro_auc": ("roc_auc", "AUC, mean over the classes"),
    "accuracy": ("accuracy", "accuracy"),
    "melanoma_sensitivity": ("recall", "melanoma sensitivity"),
}
SEGMENTATION_METRICS = {
    "jaccard": ("mean_iou", "Jaccard, mean over the images"),
    "dice": ("dice", "Dice, mean over the images"),
}
TASKS = {
    "classification": ("image-classification", CLASSIFICATION_METRICS),
    "segmentation": ("image-segmentation", SEGMENTATION_METRICS),
}


def write_hub_folder(
    bundle: Bundle, segmentation: Network, classification: Network, folder: str | Path
) -> dict[str, Parity]:
    """Write a bundle's files, both networks as ONNX and the model card.

    Parameters
    ----------
    bundle : Bundle
        It may lie in the folder already.
    segmentation, classification : Network
        The same networks in float32.
    folder : path

    Returns
    -------
    dict
        As `pipeline.export.onnx_files.write_onnx`.

    Raises
    ------
    BundleError
        If the folder holds something else than a bundle.
    ExportError
        If the ONNX files differ from Keras.
    """
    folder = Path(folder)
    copied = copy_bundle(bundle, folder)
    licence = str(copied.training.get("licence", ""))
    parities = write_onnx(segmentation, classification, folder / ONNX_FOLDER, licence)
    facts = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    made_of = {"segmentation": segmentation.made_of, "classification": classification.made_of}
    write_text(folder / HUB_CARD, hub_card(facts, made_of, _card(folder)))
    return parities


def hub_card(facts: Mapping[str, Any], made_of: Mapping[str, str], card: str) -> str:
    """Markdown text with the Hub's metadata at its head.

    Parameters
    ----------
    facts : mapping
        Of `bundle.json`.
    made_of : mapping
        For each stage, where the weights in its ONNX file come from.
    card : the bundle's model card
    """
    metadata = yaml.safe_dump(hub_metadata(facts), sort_keys=False, allow_unicode=True)
    template = template_environment(escape=False).get_template("hub_card.md")
    return template.render(
        facts,
        metadata=metadata,
        precision={stage: facts[stage]["precision"] for stage in TASKS},
        made_of=made_of,
        tests=facts["figures"].get("test"),
        example=(TEMPLATES / "onnx_example.txt").read_text(encoding="utf-8"),
        card=card,
    )


def hub_metadata(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata at the head of a model card: licence, task, tags, data sets, and recorded figures on unseen images.

    Parameters
    ----------
    facts : mapping
        Of `bundle.json`.
    """
    tests = facts["figures"].get("test", {})
    results = [result for name, test in tests.items() for result in _results(name, test)]
    metadata: dict[str, Any] = {
        "license": _licence_id(str(facts["training"].get("licence", ""))),
        "pipeline_tag": "image-classification",
        "tags": [*TAGS, *_encoders(facts["training"])],
    }
    if results:
        metadata["datasets"] = list(tests)
        metadata["metrics"] = sorted({metric["type"] for result in results for metric in result["metrics"]})
        metadata["model-index"] = [{"name": facts["name"], "results": results}]
    return metadata


def _results(dataset: str, test: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for stage, (task, metrics) in TASKS.items():
        scores = test.get(stage) or {}
        values = [
            {"type": kind, "name": name, "value": round(scores[key]["value"], 4)}
            for key, (kind, name) in metrics.items()
            if scores.get(key) and scores[key]["value"] is not None
        ]
        if values:
            yield {
                "task": {"type": task},
                "dataset": {"name": f"{dataset}: {test['selection']}", "type": dataset},
                "metrics": values,
            }


def _encoders(training: Mapping[str, Any]) -> list[str]:
    return sorted(
        {(FORMER_SETTINGS | training.get(stage, {}).get("settings", {}))["encoder"] for stage in TASKS}
    )


def _licence_id(licence: str) -> str:
    return next((identity for name, identity in LICENCE_IDS.items() if name in licence), "other")


def _card(folder: Path) -> str:
    path = folder / CARD_FILE
    return path.read_text(encoding="utf-8") if path.exists() else ""
