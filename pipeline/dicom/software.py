"""Who made the results: what every DICOM object says of this software and its models."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pipeline.bundle.loading import Bundle

MANUFACTURER = "Lesion"
RESEARCH_USE = "Research and teaching only; not a medical device."


@dataclass(frozen=True)
class Software:
    """This software with one bundle of models.

    Attributes
    ----------
    version : str
    bundle : str
        The bundle's name.
    models : str
        The first 16 hexadecimal digits of the SHA-256 over both models' own: which models these were.
    """

    version: str
    bundle: str
    models: str

    @property
    def parameters(self) -> dict[str, str]:
        """What decides the answers beside the version."""
        return {"bundle": self.bundle, "models": self.models}


def software_of(bundle: Bundle) -> Software:
    """This software with a bundle."""
    models = hashlib.sha256(
        f"{bundle.segmentation.sha256}{bundle.classification.sha256}".encode()
    ).hexdigest()
    return Software(_version(), bundle.name, models[:16])


def _version() -> str:
    try:
        return version("lesion")
    except PackageNotFoundError:  # run from the source, not installed
        return "not installed"
