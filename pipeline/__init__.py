"""Both stages chained: prediction, evaluation, export, comparison, benchmark, and the commands and pages for them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.prediction.predictor import LesionPipeline, Prediction

__all__ = ["LesionPipeline", "Prediction"]


def __getattr__(name: str) -> Any:
    """Import the predictor when it is first asked for: `lesion --help` need not wait for OpenCV and LiteRT."""
    if name in __all__:
        from pipeline.prediction import predictor  # noqa: PLC0415

        return getattr(predictor, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
