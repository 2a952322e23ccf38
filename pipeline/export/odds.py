"""Classes whose odds a bundle raises, so that it misses fewer of them at the price of false alarms.

Where the costs of errors differ, the best decision is the class of the highest probability times its cost (Elkan 2001,
"The foundations of cost-sensitive learning"). Here the factor is put into the classifier's file, as an addition to the
bias of a class's logit, so that all that reads the bundle decides alike.
"""

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import recall_score

from classification.priors import worth
from pipeline.bundle.loading import MANIFEST_FILE, Bundle, BundleError
from pipeline.bundle.saving import STAGES, files_of_bundle, save_bundle
from pipeline.export.quantisation import NO_TENSOR, TYPES, Model

LARGEST_FACTOR = 20.0


def parse_odds(words: Sequence[str]) -> dict[str, float]:
    """`CLASS=FACTOR` of each word.

    Raises
    ------
    ValueError
        In words for the user, if one is not of that form or its factor is not over 0 and at most 20.

    Examples
    --------
    >>> parse_odds(["mel=1.8"])
    {'mel': 1.8}
    """
    odds = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            factor = float(value)
        except ValueError:
            factor = math.nan
        if not name or not 0 < factor <= LARGEST_FACTOR:
            raise ValueError(
                f"{word}: write CLASS=FACTOR with a factor over 0 and at most 20, as in mel=1.8."
            )
        odds[name] = factor
    return odds


def odds_of(bundle: Bundle) -> dict[str, float]:
    """Classes and their factors as the bundle has them."""
    facts = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    odds: dict[str, float] = facts.get("odds", {})
    return odds


def with_odds(bundle: Bundle, odds: Mapping[str, float]) -> Bundle:
    """Write the bundle anew with these factors, in place of those that it had; its temperature stays.

    Parameters
    ----------
    bundle : Bundle
        The files of its folder are replaced.
    odds : mapping
        Class -> the factor of its odds against the others, as the classifier was exported; others have 1.

    Raises
    ------
    BundleError
        If the bundle does not know a class.
    """
    if unknown := [name for name in odds if name not in bundle.classes]:
        raise BundleError(
            f"{bundle.folder}: has no class {', '.join(unknown)}; its classes are {', '.join(bundle.classes)}."
        )
    manifest = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    former = manifest.get("odds", {})
    raises = [math.log(odds.get(name, 1.0) / former.get(name, 1.0)) for name in bundle.classes]
    manifest["odds"] = {name: factor for name, factor in odds.items() if factor != 1}
    manifest["precision"] = {stage: manifest[stage]["precision"] for stage in STAGES}
    files = {name: bundle.folder / name for name in files_of_bundle(bundle.folder)}
    with tempfile.TemporaryDirectory() as temporary:
        raised = Path(temporary) / bundle.classification_path.name
        raised.write_bytes(with_raised_logits(bundle.classification_path.read_bytes(), np.array(raises)))
        return save_bundle(manifest, {**files, raised.name: raised}, bundle.folder)


def with_raised_logits(content: bytes, raises: np.ndarray) -> bytes:
    """A classifier's LiteRT file whose logits and activation maps are higher by `raises` (C,).

    Raises
    ------
    ValueError
        If the last two layers are not those of C logits and of their activation map.
    """
    model = Model(content)
    sources = model.sources()
    last = model.layers[-2:]
    biases = {sources.get(layer.bias, layer.bias) for layer in last}
    if NO_TENSOR in biases or any(tuple(model.graph.tensors[bias].shape) != raises.shape for bias in biases):
        raise ValueError(f"this classifier does not end in {len(raises)} logits and their activation map")
    for bias in biases:
        model.add(bias, raises)
    for layer in last:
        if TYPES[model.graph.tensors[layer.output].type] is np.int8:
            model.widen(layer.output, min(0.0, raises.min()), max(0.0, raises.max()))
    return model.to_bytes()


def worths(logits: np.ndarray, labels: np.ndarray, bundle: Bundle) -> list[dict[str, Any]]:
    """What the factors are worth on images, beside no factors, each with a temperature of its own.

    Parameters
    ----------
    logits : float array (N, C), of the bundle as it is
    labels : int array (N,)
    bundle : Bundle

    Returns
    -------
    list of dict
        `odds`, `recall` of each of its classes, and what `classification.priors.worth` gives; empty without factors.
    """
    odds = odds_of(bundle)
    if not odds:
        return []
    raises = np.log([odds.get(name, 1.0) for name in bundle.classes])
    rows = []
    for factors, changed in (({}, logits - raises), (odds, logits)):
        recalls = recall_score(
            labels, changed.argmax(axis=1), labels=range(len(bundle.classes)), average=None, zero_division=0
        )
        recall = {name: float(recalls[bundle.classes.index(name)]) for name in odds}
        rows.append({"odds": factors, "recall": recall, **worth(changed, labels)})
    return rows
