"""Checks before a training starts, so that a mistake costs no waiting."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import RunError

STRIDE = 32  # every encoder halves its input five times


def check_phases(phases: Sequence[Phase]) -> None:
    """Raise RunError where no phase has epochs, or the input of one is no multiple of 32 pixels."""
    if not phases:
        raise RunError("no phase of the training has an epoch; give one epoch or more.")
    for phase in phases:
        if any(side < STRIDE or side % STRIDE for side in phase.input_size):
            height, width = phase.input_size
            raise RunError(
                f"the input of the {phase.name} phase can't be {height} x {width}; both sides must be multiples of "
                f"{STRIDE}."
            )


def check_encoder(name: str, offered: Collection[str]) -> None:
    """Raise RunError where an encoder is none of those that a stage offers."""
    if name not in offered:
        raise RunError(f"no encoder is called {name}; give one of {', '.join(offered)}.")


@contextmanager
def reading_encoder_weights(weights: str | Path | None, encoder: str) -> Iterator[None]:
    """Turn whatever Keras raises over an encoder's weights into a RunError that says what to give.

    Parameters
    ----------
    weights : path, "imagenet" or None
    encoder : str
        Its name.
    """
    try:
        yield
    except RunError:
        raise
    except Exception as error:  # Keras has no type of its own for a download that failed
        if weights is None:
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".:")
        if str(weights) == "imagenet":
            raise RunError(
                f"the ImageNet weights can't be downloaded ({reason}); give their file with --encoder-weights FILE."
            ) from error
        raise RunError(
            f"{weights}: can't be read as weights of {encoder} without the top ({reason}); give another file with "
            "--encoder-weights FILE."
        ) from error
