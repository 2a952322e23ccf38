"""The track record of an answer: what the images on which a bundle was tested say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.datasets.diagnoses import diagnosis_name
from pipeline.bundle.loading import Bundle


@dataclass(frozen=True)
class TrackRecord:
    """How a class fared among labelled images.

    Attributes
    ----------
    diagnosis : the class
    images : in words, which images these are
    had : images that are of the class
    named : those of them that the models named
    called : images that the models gave this diagnosis, rightly or wrongly
    """

    diagnosis: str
    images: str
    had: int
    named: int
    called: int

    @property
    def words(self) -> str:
        """One sentence for a reader."""
        name = diagnosis_name(self.diagnosis)
        return (
            f"{self.images}: of {self.had} with {name} it named {self.named}, "
            f"and of {self.called} that it called {name}, {self.named} were."
        )


def track_record(bundle: Bundle, diagnosis: str) -> TrackRecord | None:
    """The record of a diagnosis: on unseen images where the bundle has such figures, else on those of validation.

    None where the bundle has no figures, or no image of the class was among them and none was called it.
    """
    for images, scores in _scores(bundle.figures):
        classes, confusion = list(scores.get("classes", ())), scores.get("confusion")
        if not confusion or diagnosis not in classes:
            continue
        place = classes.index(diagnosis)
        had, called = sum(confusion[place]), sum(row[place] for row in confusion)
        if had or called:
            return TrackRecord(diagnosis, images, had, confusion[place][place], called)
    return None


def _scores(figures: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    tests = [
        (f"On the test images ({name})", test["classification"])
        for name, test in figures.get("test", {}).items()
        if test.get("classification")
    ]
    validation = figures.get("validation", {}).get("classification")
    return tests + ([("On the validation images", validation)] if validation else [])
