"""Labels: what datasets write for a diagnosis -> the code that is used here."""

import difflib
import re

from data.datasets.diagnoses import DIAGNOSES

SYNONYMS = {
    "actinic keratoses": "ak",
    "actinic keratoses and intraepithelial carcinoma": "akiec",
    "angioma": "vasc",
    "atypical nevus": "nv",
    "benign keratosis like lesion": "bkl",
    "bowen's disease": "akiec",
    "common nevus": "nv",
    "haemangioma": "vasc",
    "hemangioma": "vasc",
    "intraepithelial carcinoma": "akiec",
    "lichen planus like keratosis": "bkl",
    "malignant melanoma": "mel",
    "melanocytic nevi": "nv",
    "melanocytic nevus": "nv",
    "naevus": "nv",
    "nevi": "nv",
    "nevus": "nv",
    "pigmented benign keratosis": "bkl",
    "pyogenic granuloma": "vasc",
    "seborrheic keratosis": "bkl",
    "seborrhoeic keratosis": "bkl",
    "solar lentigo": "bkl",
    "unk": "unknown",
}


LONGEST_CODE = 5  # short ones are all alike


def _words(label: str) -> str:
    return " ".join(re.split(r"[\s_-]+", label.casefold().strip()))


_CODES = SYNONYMS | {_words(diagnosis.name): code for code, diagnosis in DIAGNOSES.items()}
_CODES |= {code: code for code in DIAGNOSES}


def diagnosis_code(label: str) -> str:
    """The code of a diagnosis that is written as a code or a name, in any case; `"Nevus"` gives `"nv"`.

    A label that is not known here is a class of the user's own: it is kept, in lower case.
    """
    words = _words(label)
    singular = words.removesuffix("s")
    return _CODES.get(words) or _CODES.get(singular) or label.strip().lower()


def is_known_label(label: str) -> bool:
    """Whether a label is, or stands for, one of the diagnoses known here."""
    return diagnosis_code(label) in DIAGNOSES


def known_label_like(label: str) -> str | None:
    """A spelling known here that differs from the label by a slip of the pen; None where there is none."""
    words = _words(label)
    likely = difflib.get_close_matches(
        words, (known for known in _CODES if len(known) > LONGEST_CODE), n=1, cutoff=0.85
    )
    return likely[0] if likely else None
