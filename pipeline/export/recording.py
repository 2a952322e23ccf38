"""The figures of an evaluation, kept in the bundle that they judge."""

import json
import tempfile
from pathlib import Path
from typing import Any

from pipeline.bundle.loading import MANIFEST_FILE, Bundle, BundleError
from pipeline.bundle.saving import STAGES, files_of_bundle, save_bundle
from pipeline.evaluation.evaluation import Evaluation
from pipeline.evaluation.selection import Selection
from pipeline.export.model_card import without_machine_paths, write_card


def record_test_figures(bundle: Bundle, evaluation: Evaluation, selection: Selection, dataset: str) -> Bundle:
    """Write the figures on unseen images into `bundle.json` and the model card, in place of earlier ones.

    Parameters
    ----------
    bundle : Bundle
    evaluation : Evaluation
        Of this bundle on the images of `selection`.
    selection : Selection
    dataset : str
        The name under which the figures are kept; another dataset's stay.

    Raises
    ------
    BundleError
        If the bundle was trained or chosen on some of the images: such figures would flatter it.
    """
    if selection.seen:
        raise BundleError(
            f"{bundle.folder}: was trained or chosen on {selection.seen} of these images, so their figures are not "
            "recorded; evaluate the test split."
        )
    facts = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    kept = _kept_as(evaluation.facts.tta, bundle)
    recorded = {**facts["figures"].get(kept, {}), dataset: _recorded(evaluation, selection)}
    facts["figures"] = {**facts["figures"], kept: recorded}
    facts["precision"] = {stage: facts[stage]["precision"] for stage in STAGES}
    with tempfile.TemporaryDirectory() as temporary:
        card = write_card(facts, Path(temporary))
        files = {name: bundle.folder / name for name in files_of_bundle(bundle.folder)}
        return save_bundle(facts, {**files, **card}, bundle.folder)


def _kept_as(tta: bool | None, bundle: Bundle) -> str:
    """The name of the figures: those of what the bundle does by default, or of another number of looks beside them."""
    if tta:
        return "test_with_flips"
    return "test_of_one_look" if tta is False and bundle.second_look else "test"


def _recorded(evaluation: Evaluation, selection: Selection) -> dict[str, Any]:
    figures = evaluation.to_dict()
    parts = ("classification", "segmentation", "abstention", "groups", "marks")
    command = evaluation.facts.command_line
    return {
        "selection": selection.note,
        "command": without_machine_paths(command) if command else None,
        **{part: figures[part] for part in parts},
    }
