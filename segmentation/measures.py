"""What is measured on a lesion, in words; `segmentation.shape` measures it."""

from dataclasses import dataclass

# Longer side, in pixels, of what is measured. The figures hardly depend on it, and the time does.
MEASURED_SIDE = 512
RIM = 4


@dataclass(frozen=True)
class Measure:
    """A number about a lesion's looks. It describes, and says nothing about malignancy by itself.

    Attributes
    ----------
    name : str
    unit : str
        In pixels (px); empty for a ratio.
    meaning : str
        One line for a reader: what the number is and what its extremes mean.
    source : str
        Where the definition comes from.
    """

    name: str
    unit: str
    meaning: str
    source: str


MEASURES = (
    Measure(
        "Area",
        "px²",
        "Pixels of the mask, times the area of a pixel where the scale is known.",
        "Celebi et al. 2007",
    ),
    Measure(
        "Largest diameter",
        "px",
        "Longest straight line between two points of the border; the ABCD criteria ask whether it exceeds 6 mm.",
        "Abbasi et al. 2004",
    ),
    Measure(
        "Asymmetry",
        "",
        "Part of the area that finds no counterpart when the lesion is folded along its two main axes, their mean: "
        "0 for mirror symmetry.",
        "Celebi et al. 2007",
    ),
    Measure(
        "Border irregularity",
        "",
        "Squared perimeter over 4π times the area: 1 for a circle, more the longer the border winds.",
        "Golston et al. 1992",
    ),
    Measure(
        "Colour variegation",
        "ΔE",
        "Spread of the colours around their mean in CIELAB: 0 for one flat colour; about 2 can just be seen.",
        "Celebi et al. 2007; CIE 1976",
    ),
)
