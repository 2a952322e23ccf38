"""The parts of a dataset that an evaluation did not score, and what it scored in their place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

NAMED_FAILURES = 5


class Failure(NamedTuple):
    """An image, or its mask, that could not be scored."""

    image_id: str
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """What was not scored.

    Attributes
    ----------
    failures, mask_failures : images and reference masks that could not be used
    without_diagnosis, without_mask : int
        Images that have no reference of a kind that others have; 0 where none has.
    unknown_labels : diagnosis -> number of images, of those that the bundle does not tell
    groups : the classes that were compared where the dataset and the bundle name different ones, or empty
    without_support : classes that no image has
    """

    failures: tuple[Failure, ...]
    mask_failures: tuple[Failure, ...]
    without_diagnosis: int
    without_mask: int
    unknown_labels: Mapping[str, int]
    groups: tuple[str, ...]
    without_support: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For `metrics.json`."""
        return {
            "failures": [failure._asdict() for failure in self.failures],
            "mask_failures": [failure._asdict() for failure in self.mask_failures],
            "without_diagnosis": self.without_diagnosis,
            "without_mask": self.without_mask,
            "unknown_labels": dict(self.unknown_labels),
            "compared_as_groups": list(self.groups),
        }

    def sentences(self) -> Iterator[str]:
        """One sentence for each part, for people."""
        if self.failures:
            yield f"Not readable, and left out: {_named(self.failures)}."
        if self.mask_failures:
            yield f"Reference mask not usable, and left out of segmentation: {_named(self.mask_failures)}."
        if self.without_diagnosis:
            yield f"Images without a diagnosis, left out of classification: {self.without_diagnosis}."
        if self.without_mask:
            yield f"Images without a reference mask, left out of segmentation: {self.without_mask}."
        if self.unknown_labels:
            counts = ", ".join(f"{label} ({count})" for label, count in self.unknown_labels.items())
            yield f"Diagnoses that the bundle does not tell, left out of classification: {counts}."
        if self.groups:
            groups = ", ".join(self.groups)
            yield f"The dataset and the bundle name different classes; compared as groups: {groups}."
        if self.without_support:
            classes = ", ".join(self.without_support)
            yield f"Classes without an image, left out of the averages: {classes}."


def _named(failures: tuple[Failure, ...]) -> str:
    names = ", ".join(failure.image_id for failure in failures[:NAMED_FAILURES])
    further = len(failures) - NAMED_FAILURES
    return f"{names} and {further} more" if further > 0 else names
