"""What the reader decides and notes about one image."""

from dataclasses import dataclass

from pipeline.bundle.loading import Bundle
from pipeline.prediction.outcomes import Remarks
from pipeline.prediction.overruling import Overrule
from segmentation.cropping import Box

LESION, OWN, FULL = "The lesion", "Your box", "Full image"


@dataclass(frozen=True)
class Reading:
    """A reader's choices for one image; what is None was not chosen.

    Attributes
    ----------
    choice : one of `LESION`, `OWN` and `FULL`: what the classifier looks at
    margin : float
        Of the box around the lesion.
    box : Box
        Counts where `choice` is `OWN`.
    contour : bytes
        A PNG of the mask that the reader has drawn.
    millimetres_per_pixel : float
    explained : str
        The class whose activation map is shown.
    case, diagnosis, comment : str
        The reader's own words.
    """

    choice: str | None = None
    margin: float | None = None
    box: Box | None = None
    contour: bytes | None = None
    millimetres_per_pixel: float | None = None
    explained: str | None = None
    case: str = ""
    diagnosis: str = ""
    comment: str = ""

    def chosen(self, bundle: Bundle) -> str:
        """What the classifier looks at."""
        return self.choice or (LESION if bundle.view == "crop" else FULL)

    def overrule(self, bundle: Bundle) -> Overrule:
        """The choices that differ from the bundle's own."""
        choice = self.chosen(bundle)
        view = "full" if choice == FULL else "crop"
        margin = self.margin if choice == LESION and self.margin != bundle.crop_margin else None
        return Overrule(
            view=None if view == bundle.view else view,
            margin=margin,
            box=self.box if choice == OWN else None,
            contour=self.contour,
        )

    @property
    def remarks(self) -> Remarks:
        return Remarks(self.case, self.diagnosis, self.comment)
