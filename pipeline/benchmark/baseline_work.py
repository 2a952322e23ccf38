"""The work of Lesion as people write it with other software; every baseline does it with its own networks.

The networks have random weights, for time does not depend on them. Decoding and resizing are Lesion's own, and
instead of looking for the mask's largest component and its box they cut out the middle, which spares them some work.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.images import read_image
from data.resizing import resize
from pipeline.benchmark.network_work import Work

BATCH_SIZE = 32
WARM_UP = 3
THRESHOLD = 0.5

Network = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Sizes:
    """What the networks take, in pixels, and how many classes they tell apart."""

    segmentation: tuple[int, int]
    classification: tuple[int, int]
    classes: int

    def as_arguments(self) -> list[str]:
        return list(map(str, (*self.segmentation, *self.classification, self.classes)))


@dataclass(frozen=True)
class Networks:
    """A baseline's networks on batches of RGB images (N, H, W, 3), float32 in 0..255.

    `segment` returns the lesion's probability (N, H, W), `classify` probabilities (N, classes); `work` is that of
    both, by stage.
    """

    segment: Network
    classify: Network
    work: Mapping[str, Work]


def main(build: Callable[[Sizes, str], Networks]) -> None:
    """Run a baseline's process: build the networks, do the task of the command line, and print the seconds as JSON."""
    arguments = _parse()
    height, width, view_height, view_width, classes = arguments.sizes
    sizes = Sizes((height, width), (view_height, view_width), classes)
    networks = build(sizes, arguments.way)
    baseline = BaselineWork(networks, sizes)
    images = sorted(arguments.folder.glob("*.jpg"))
    seconds = baseline.one_by_one(images, arguments.count) if arguments.count else baseline.in_batches(images)
    work = {stage: each._asdict() for stage, each in networks.work.items()}
    print(json.dumps({"seconds": seconds, "work": work}))


class BaselineWork:
    """The whole way from image files to diagnoses with a baseline's networks."""

    def __init__(self, networks: Networks, sizes: Sizes) -> None:
        self._networks = networks
        self._sizes = sizes

    def one_by_one(self, images: Sequence[Path], count: int) -> list[float]:
        """Seconds of each of `count` images, from encoded bytes to diagnosis, after a few that don't count.

        A single one is not preceded by others.
        """
        contents = [image.read_bytes() for image in images]
        warm_up = WARM_UP if count > 1 else 0
        seconds = [self._seconds(contents[number % len(contents)]) for number in range(warm_up + count)]
        return seconds[warm_up:]

    def in_batches(self, images: Sequence[Path]) -> list[float]:
        """Seconds that it takes to predict all images in batches, as one figure."""
        start = time.perf_counter()
        for batch in _batches(images):
            self.diagnose([read_image(image) for image in batch])
        return [time.perf_counter() - start]

    def diagnose(self, images: Sequence[np.ndarray]) -> list[int]:
        """The number of the most probable class of each image."""
        batch = np.stack([resize(image, self._sizes.segmentation) for image in images]).astype(np.float32)
        probabilities = self._networks.segment(batch)
        masks = [
            resize(probability, image.shape[:2]) >= THRESHOLD
            for probability, image in zip(probabilities, images, strict=True)
        ]
        crops = [_middle(image, mask.shape) for image, mask in zip(images, masks, strict=True)]
        views = np.stack([resize(crop, self._sizes.classification) for crop in crops]).astype(np.float32)
        numbers: list[int] = self._networks.classify(views).argmax(axis=1).tolist()
        return numbers

    def _seconds(self, content: bytes) -> float:
        start = time.perf_counter()
        self.diagnose([read_image(content)])
        return time.perf_counter() - start


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="Of JPEG images.")
    parser.add_argument(
        "sizes", type=int, nargs=5, help="Heights and widths of both inputs, and the classes."
    )
    parser.add_argument("--way", default="", help="One of several ways to call the networks.")
    parser.add_argument(
        "--count", type=int, default=0, help="Time so many single images, and not the folder."
    )
    return parser.parse_args()


def _batches(images: Sequence[Path]) -> Iterator[Sequence[Path]]:
    return (images[start : start + BATCH_SIZE] for start in range(0, len(images), BATCH_SIZE))


def _middle(image: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    height, width = size
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]
