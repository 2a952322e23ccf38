"""How long a training will take, and how much memory and disk, before it starts: rough, and said to be so."""

from collections.abc import Sequence
from dataclasses import dataclass

import joblib

from segmentation.engine.phases import Phase

# Pixels of the model's input that one quiet core trains on in a second, measured on two cores of a 2026 Xeon
# (`tests/benchmarks/training_speed.py`); a head alone costs the forward pass.
PIXELS_A_SECOND = {"classification": 0.9e6, "segmentation": 0.4e6}
HEAD_ALONE = 3.0
# How many times as fast a step of MobileNetV2 is where layers with large maps are frozen, by the stride from which on.
FROZEN_STRIDES = {8: 1.9, 4: 1.6}
# What one core does whatever the pixels: it starts TensorFlow and measures the best model, makes each phase's graph, of
# the head alone or of all layers, and reads and compares an image.
SECONDS_AROUND = 25.0
SECONDS_A_GRAPH = {True: 9.0, False: 18.0}
SECONDS_AN_IMAGE = 0.01
FLIPS = 4  # of each image that a teacher is asked about
# A process with TensorFlow and a graph, and what a step keeps for each pixel of its batch.
PROCESS_BYTES = 1.3e9
BYTES_A_PIXEL = 1600


@dataclass(frozen=True)
class Estimate:
    """Seconds on this machine's cores, bytes of memory, and bytes of decoded images on the disk meanwhile."""

    seconds: float
    memory: float
    disk: float

    def to_text(self) -> str:
        """A sentence for the terminal."""
        return (
            f"about {duration(self.seconds)} on {joblib.cpu_count()} quiet cores if no phase ends early, "
            f"{self.memory / 1e9:.1f} GB of memory, and {size(self.disk)} of decoded images on the disk "
            "meanwhile; a GPU is much faster"
        )


def estimate_training(
    stage: str,
    phases: Sequence[Phase],
    images: int,
    validation_images: int,
    batch_size: int,
    *,
    room: float = 1.0,
    teachers_sides: Sequence[int] = (),
    times: int = 1,
) -> Estimate:
    """Estimate a training from its work: the pixels of all images and epochs, and what it takes whatever they are.

    Parameters
    ----------
    stage : "segmentation" or "classification"
    phases : sequence of Phase
    images, validation_images : int
    batch_size : int
    room : float
        Side of a decoded image as a part of the input's, more than 1 where crops are jittered.
    teachers_sides : sequence of int
        Pixels of what each teacher takes, which is asked once about every training image.
    times : int
        Trainings, one after the other.
    """
    rate = PIXELS_A_SECOND[stage] * joblib.cpu_count()
    seconds = SECONDS_AROUND + (images + validation_images) * SECONDS_AN_IMAGE
    for phase in phases:
        pixels = phase.input_size[0] * phase.input_size[1]
        work = images / _ease(phase) + validation_images / HEAD_ALONE
        seconds += phase.epochs * work * pixels / rate + SECONDS_A_GRAPH[phase.frozen_encoder]
    asked = sum(side**2 for side in teachers_sides)
    seconds += FLIPS * images * asked / HEAD_ALONE / rate
    largest = max((phase.input_size[0] * phase.input_size[1] for phase in phases), default=0)
    channels = 4 if stage == "segmentation" else 3  # the mask is one more
    return Estimate(
        seconds=times * seconds,
        memory=PROCESS_BYTES + batch_size * largest * BYTES_A_PIXEL,
        disk=(images * room**2 + validation_images) * largest * channels,
    )


def _ease(phase: Phase) -> float:
    """How many times as fast as a step that trains all layers a step of the phase is."""
    if phase.frozen_encoder:
        return HEAD_ALONE
    return next((gain for stride, gain in FROZEN_STRIDES.items() if phase.frozen_stride >= stride), 1.0)


def duration(seconds: float) -> str:
    """Minutes or hours, as precise as such an estimate can be."""
    if seconds < 90:
        return "a minute"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Bytes in MB or GB."""
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
