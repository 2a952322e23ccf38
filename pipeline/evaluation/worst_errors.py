"""The wrong diagnoses of which the bundle was surest, as pictures: what a reader should look at first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.datasets.diagnoses import malignancy
from data.images import ImageError, read_image
from pipeline.prediction.predictor import LesionPipeline

MOST_ERRORS = 12


@dataclass(frozen=True, eq=False)
class WorstError:
    """A confidently wrong diagnosis: uint8 image (H, W, 3) and the bool mask (H, W) that was found in it."""

    image_id: str
    reference: str
    diagnosis: str
    confidence: float
    probability_of_reference: float
    image: np.ndarray
    mask: np.ndarray


def rank_errors(
    predictions: pd.DataFrame,
    classes: tuple[str, ...],
    malignant: tuple[str, ...] = (),
    grouped: bool = False,
) -> pd.DataFrame:
    """The wrongly named images, the most confident first, with `confidence` and `probability_of_reference`.

    Parameters
    ----------
    predictions : DataFrame
        As `pipeline.evaluation.evaluation.Evaluation.predictions`.
    classes : the bundle's
    malignant : classes of its own that count as malignant
    grouped : bool
        Whether only malignant and benign can be compared.
    """

    def group(code: str) -> str:
        return malignancy(code, malignant) if grouped else code

    labelled = predictions[predictions["dx"].notna()]
    told = {group(code) for code in classes}
    references, diagnoses = labelled["dx"].map(group), labelled["diagnosis"].map(group)
    wrong = labelled[references.isin(told) & (references != diagnoses)]
    values = wrong[list(classes)].to_numpy(float)
    members = np.array([[group(code) for code in classes]]) == references[wrong.index].to_numpy(str)[:, None]
    ranked = wrong.assign(
        confidence=values.max(axis=1, initial=0.0), probability_of_reference=(values * members).sum(axis=1)
    )
    return ranked.sort_values("confidence", ascending=False, kind="stable")


def worst_errors(
    pipeline: LesionPipeline, catalog: pd.DataFrame, ranked: pd.DataFrame
) -> Iterator[WorstError]:
    """Predict the first of the ranked images once more, for their masks."""
    columns = ["image_id", "dx", "diagnosis", "confidence", "probability_of_reference"]
    chosen = ranked[columns].head(MOST_ERRORS).merge(catalog[["image_id", "image_path"]], on="image_id")
    again = pipeline.predict_many(chosen["image_path"])
    for error, (path, prediction) in zip(chosen.to_dict("records"), again, strict=True):
        if not isinstance(prediction, ImageError):
            yield WorstError(
                image_id=str(error["image_id"]),
                reference=str(error["dx"]),
                diagnosis=str(error["diagnosis"]),
                confidence=float(error["confidence"]),
                probability_of_reference=float(error["probability_of_reference"]),
                image=read_image(path),
                mask=prediction.mask,
            )
