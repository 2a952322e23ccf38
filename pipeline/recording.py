"""The figures of an evaluation, kept in the bundle that they judge."""

import json
import tempfile
from pathlib import Path

from pipeline.bundle import FACTS_FILE, Bundle, BundleError
from pipeline.evaluation import Evaluation
from pipeline.model_card import model_card
from pipeline.saving import save_bundle
from pipeline.selection import Selection


def record_test_figures(bundle: Bundle, evaluation: Evaluation, selection: Selection, dataset: str) -> Bundle:
    """Write the figures on unseen images into `bundle.json` and `MODEL_CARD.md`, in place of earlier ones.

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
    scores = {"classification": evaluation.classification, "segmentation": evaluation.segmentation}
    test = {
        "selection": selection.note,
        **{stage: score.to_dict() if score else None for stage, score in scores.items()},
    }
    facts = json.loads((bundle.folder / FACTS_FILE).read_text(encoding="utf-8"))
    recorded = {**facts["figures"].get("test", {}), dataset: test}
    facts["figures"] = {**facts["figures"], "test": recorded}
    facts["precision"] = {stage: facts[stage]["precision"] for stage in scores}
    with tempfile.TemporaryDirectory() as temporary:
        card = Path(temporary) / "MODEL_CARD.md"
        card.write_text(model_card(facts), encoding="utf-8")
        files = {file.name: file for file in bundle.folder.iterdir() if file.name != FACTS_FILE}
        return save_bundle(facts, {**files, "MODEL_CARD.md": card}, bundle.folder)
