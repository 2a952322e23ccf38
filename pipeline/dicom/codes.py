"""What the reports call things: codes of SNOMED CT, DICOM and UCUM where they fit, and of a scheme of our own else."""

from collections.abc import Sequence

from pydicom import Dataset
from pydicom.sr.coding import Code

from data.datasets.diagnoses import DIAGNOSES, diagnosis_name

PRIVATE_SCHEME = "99LESION"
PRIVATE_SCHEME_NAME = "Lesion: classes and measurements of dermoscopic images"

# SNOMED CT: each code was looked up, in the sources that docs/dicom.md names. Classes that join several diagnoses
# (akiec, bkl, vasc) have no code of their own there and get none; nor does df, whose code no source confirmed.
_SNOMED = {
    "ak": Code("201101007", "SCT", "Actinic keratosis"),
    "bcc": Code("254701007", "SCT", "Basal cell carcinoma of skin"),
    "mel": Code("372244006", "SCT", "Malignant melanoma"),
    "nv": Code("400096001", "SCT", "Melanocytic nevus"),
    "scc": Code("254651007", "SCT", "Squamous cell carcinoma of skin"),
}

LESION = Code("52988006", "SCT", "Lesion")
MORPHOLOGY = Code("49755003", "SCT", "Morphologically Abnormal Structure")
SKIN = Code("39937001", "SCT", "Skin")
PHOTOGRAPHY = Code("DMS", "DCM", "Dermoscopy")
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
FINDING = Code("121071", "DCM", "Finding")
COMMENT = Code("121106", "DCM", "Comment")
MAXIMUM = Code("56851009", "SCT", "Maximum")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")

DIAGNOSIS = Code("DIAGNOSIS", PRIVATE_SCHEME, "Most probable class")
PROBABILITY = Code("PROBABILITY", PRIVATE_SCHEME, "Probability of class")
MALIGNANT = Code("MALIGNANT", PRIVATE_SCHEME, "Probability of a malignant class")

NO_UNITS = Code("1", "UCUM", "no units")
UNITS = {
    "": NO_UNITS,
    "mm": Code("mm", "UCUM", "millimeter"),
    "mm²": Code("mm2", "UCUM", "square millimeter"),
    "px": Code("{pixels}", "UCUM", "pixels"),
    "px²": Code("{pixels}", "UCUM", "pixels"),
    "ΔE": Code("{delta_E}", "UCUM", "CIE 1976 colour difference"),
}
MEASUREMENTS = {
    "Area": Code("42798000", "SCT", "Area"),
    "Largest diameter": Code("81827009", "SCT", "Diameter"),
    "Asymmetry": Code("ASYMMETRY", PRIVATE_SCHEME, "Asymmetry"),
    "Border irregularity": Code("BORDER", PRIVATE_SCHEME, "Border irregularity"),
    "Colour variegation": Code("COLOUR", PRIVATE_SCHEME, "Colour variegation"),
}

_LONGEST_CODE, _LONGEST_MEANING = 16, 64


def diagnosis_code(name: str, classes: Sequence[str]) -> Code:
    """What a report calls a class.

    Parameters
    ----------
    name : str
        The class.
    classes : sequence of str
        All classes of the bundle. A class of the user's own has no meaning here: its code is its place among them.

    Returns
    -------
    Code of SNOMED CT where the class is one diagnosis, else of the private scheme
    """
    if name in _SNOMED:
        return _SNOMED[name]
    if name in DIAGNOSES:
        return Code(name.upper(), PRIVATE_SCHEME, diagnosis_name(name))
    return Code(f"CLASS{classes.index(name) + 1}"[:_LONGEST_CODE], PRIVATE_SCHEME, name[:_LONGEST_MEANING])


def private_scheme() -> Dataset:
    """The item of Coding Scheme Identification Sequence that introduces the private scheme."""
    item = Dataset()
    item.CodingSchemeDesignator = PRIVATE_SCHEME
    item.CodingSchemeName = PRIVATE_SCHEME_NAME
    return item
