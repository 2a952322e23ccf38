"""`import lesion`: the names that a program needs, under one that no file of the program's own is likely to have.

Lesion's packages are called `data`, `segmentation`, `classification` and `pipeline`. Where a script lies beside a
file of such a name, Python would take that for Lesion's; this module says so instead of failing somewhere inside.
"""

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.images import ImageError
    from pipeline.bundle.loading import Bundle, BundleError, load_bundle
    from pipeline.prediction.predictor import LesionPipeline, Prediction

__all__ = ["Bundle", "BundleError", "ImageError", "LesionPipeline", "Prediction", "load_bundle"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1] if HERE.parent.name == "pipeline" else HERE.parent  # in the sources, or installed
ROOMS = ("data", "segmentation", "classification", "pipeline")
_PLACES = {
    "ImageError": "data.images",
    "Bundle": "pipeline.bundle.loading",
    "BundleError": "pipeline.bundle.loading",
    "load_bundle": "pipeline.bundle.loading",
    "LesionPipeline": "pipeline.prediction.predictor",
    "Prediction": "pipeline.prediction.predictor",
}


def check_rooms() -> None:
    """Import Lesion's four packages; raise ImportError, naming the file, where another hides one of them."""
    for room in ROOMS:
        module = sys.modules.get(room) or importlib.import_module(room)
        place = getattr(module, "__file__", None)
        if place is None or Path(place).resolve() != ROOT / room / "__init__.py":
            raise ImportError(
                f"{place or room} hides Lesion's package {room}; rename it, or start Python with -P."
            )


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check_rooms()
    return getattr(importlib.import_module(_PLACES[name]), name)
