"""The classes: their codes, names and groupings."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """One class of lesion: the code that datasets use, its name for a reader, and its group."""

    code: str
    name: str
    malignancy: str  # "malignant", "benign" or "unknown"


DIAGNOSES = {
    diagnosis.code: diagnosis
    for diagnosis in (
        # A precursor; in `akiec` it is joined with intraepithelial carcinoma, which decides.
        Diagnosis("ak", "actinic keratosis", "benign"),
        Diagnosis("akiec", "actinic keratosis / intraepithelial carcinoma", "malignant"),
        Diagnosis("bcc", "basal cell carcinoma", "malignant"),
        Diagnosis("bkl", "benign keratosis", "benign"),
        Diagnosis("df", "dermatofibroma", "benign"),
        Diagnosis("mel", "melanoma", "malignant"),
        Diagnosis("nv", "melanocytic naevus", "benign"),
        Diagnosis("scc", "squamous cell carcinoma", "malignant"),
        Diagnosis("vasc", "vascular lesion", "benign"),
        Diagnosis("malignant", "malignant", "malignant"),
        Diagnosis("benign", "benign", "benign"),
        Diagnosis("unknown", "unknown", "unknown"),
    )
}

HAM10000_CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def diagnosis_name(code: str) -> str:
    """The name that a reader knows; a code of the user's own labels stands for itself."""
    return DIAGNOSES[code].name if code in DIAGNOSES else code


def malignancy(code: str, malignant: Collection[str] = ()) -> str:
    """`"malignant"`, `"benign"` or, for a code that is not known here, `"unknown"`.

    `malignant` names classes that the user declared malignant; then every other class of the user's own is benign.
    """
    if code in malignant:
        return "malignant"
    if code in DIAGNOSES:
        return DIAGNOSES[code].malignancy
    return "benign" if malignant else "unknown"


def classes_of(labels: Iterable[object]) -> tuple[str, ...]:
    """The distinct labels in alphabetical order; missing labels (None, NaN) are left out."""
    return tuple(sorted({label for label in labels if isinstance(label, str)}))


def malignant_classes(classes: Sequence[str], malignant: Collection[str] = ()) -> list[bool]:
    """For each class, whether it counts towards the malignant probability; `malignant` as in `malignancy`."""
    return [malignancy(code, malignant) == "malignant" for code in classes]
