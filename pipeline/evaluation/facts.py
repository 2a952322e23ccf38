"""The facts of an evaluation, which a reader needs to judge and repeat it, as values and as text."""

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.bundle.loading import Bundle
from pipeline.evaluation.selection import Selection

CONFIDENCE = 0.95
AVERAGED = "averaged over four flips of the view"


@dataclass(frozen=True)
class EvaluationFacts:
    """How an evaluation came about.

    Attributes
    ----------
    bundle : Bundle that was scored
    tta : whether the diagnoses are averages over flips of the view; None where the bundle's second look decides
    images, lesions : int
        Of the catalog, readable or not.
    resamples, seed : of the bootstrap over lesions
    evaluated : datetime
    versions : name -> version, of Python and of the packages that shape the figures
    datasets : the folders
    selection : which of their images were scored; None for all that were given
    command : the words of the command line
    """

    bundle: Bundle
    tta: bool | None
    images: int
    lesions: int
    resamples: int
    seed: int
    evaluated: datetime
    versions: dict[str, str]
    datasets: tuple[str, ...] = ()
    selection: Selection | None = None
    command: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        stages = {"segmentation": self.bundle.segmentation, "classification": self.bundle.classification}
        return {
            "bundle": self.bundle.name,
            "created": self.bundle.created,
            **{stage: {"precision": file.precision, "sha256": file.sha256} for stage, file in stages.items()},
            "tta": self.tta,
            "images": self.images,
            "lesions": self.lesions,
            "intervals": {"confidence": CONFIDENCE, "resamples": self.resamples, "seed": self.seed},
            "evaluated": self.evaluated.isoformat(timespec="seconds"),
            "versions": self.versions,
            "datasets": list(self.datasets),
            "selection": self.selection.to_dict() if self.selection else None,
            "command": list(self.command),
        }

    def shown(self) -> dict[str, str]:
        """Name -> text, for people."""
        bundle = self.bundle
        optional = {
            "Datasets": ", ".join(self.datasets),
            "Selection": self.selection.note if self.selection else "",
            "Command": self.command_line,
        }
        return {name: text for name, text in optional.items() if text} | {
            "Bundle": bundle.name,
            "Made": bundle.created,
            "Classifier": f"{bundle.classification.precision}, SHA-256 {bundle.classification.sha256}",
            "Segmentation": f"{bundle.segmentation.precision}, SHA-256 {bundle.segmentation.sha256}",
            "Diagnoses": self._looks,
            "Images": f"{self.images} images of {self.lesions} lesions",
            "Intervals": (
                f"{CONFIDENCE:.0%}, bootstrap over lesions, {self.resamples} resamples, seed {self.seed}"
            ),
            "Evaluated": f"{self.evaluated:%Y-%m-%d %H:%M %Z}",
            "Versions": ", ".join(
                f"{'Python' if name == 'python' else name} {version}"
                for name, version in self.versions.items()
            ),
        }

    @property
    def _looks(self) -> str:
        if self.tta is None and (again := self.bundle.second_look):
            return f"{AVERAGED} where the first look is less than {again.below_confidence:.0%} sure"
        return AVERAGED if self.tta else "of the view as it is"

    @property
    def command_line(self) -> str:
        """The command as it can be given again; empty where there was none."""
        return shlex.join(self.command)
