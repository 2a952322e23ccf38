"""Cached images -> batches for Keras."""

import math
import time
from abc import abstractmethod

import cv2
import keras
import numpy as np

from data.augmentation import Augmentation
from data.resizing import resize

SAMPLINGS = ("natural", "square-root", "balanced")


class Batches(keras.utils.PyDataset):
    """Batches in an order that the seed and the epoch alone decide, so that a resumed training sees what it would have.

    Parameters
    ----------
    count : int
        Number of images.
    batch_size : int
    shuffle : bool
    seed : int
    weights : float array (count,), optional
        With them an epoch draws `count` images with replacement, in proportion to the weights.

    Attributes
    ----------
    epoch : int
        The epoch that comes next.
    multiple : int
        Every batch has a multiple of so many images, as several devices need it; an epoch leaves the rest out.
    seconds : float
        Processor time of making batches since it was last set to 0: a wait for a core that trains is not work.
    """

    def __init__(
        self, count: int, batch_size: int, *, shuffle: bool, seed: int, weights: np.ndarray | None = None
    ) -> None:
        super().__init__()
        self.count, self.batch_size, self.shuffle, self.seed = count, batch_size, shuffle, seed
        self.epoch, self.multiple = 0, 1
        self.seconds = 0.0
        self._chances = None if weights is None else np.asarray(weights) / np.sum(weights)
        self._ordered_epoch, self._order = -1, np.arange(count)

    def __len__(self) -> int:
        return math.ceil((self.count - self.count % self.multiple) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        start = time.thread_time()
        whole = self._order_of_epoch()[: self.count - self.count % self.multiple]
        positions = whole[index * self.batch_size : (index + 1) * self.batch_size]
        seeds = np.random.default_rng((self.seed, self.epoch, index)).integers(2**31, size=len(positions))
        batch = self.make_batch(positions, seeds)
        self.seconds += time.thread_time() - start
        return batch

    @abstractmethod
    def make_batch(self, positions: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of the images at `positions`; `seeds` has one for each image's random changes."""

    def spread(self, count: int) -> np.ndarray:
        """Positions of `count` images, or of all where there are fewer, spread evenly over the set."""
        return np.unique(np.linspace(0, self.count - 1, min(count, self.count)).astype(int))

    def sample(self, count: int) -> np.ndarray:
        """Inputs of the images at `spread(count)`, as they are without augmentation."""
        positions = self.spread(count)
        return self.make_batch(positions, np.zeros(len(positions), int))[0]

    def on_epoch_end(self) -> None:
        self.epoch += 1

    def _order_of_epoch(self) -> np.ndarray:
        if self.shuffle and self._ordered_epoch != self.epoch:
            rng = np.random.default_rng((self.seed, self.epoch))
            if self._chances is None:
                self._order = rng.permutation(self.count)
            else:
                self._order = rng.choice(self.count, size=self.count, p=self._chances)
            self._ordered_epoch = self.epoch
        return self._order


class SegmentationBatches(Batches):
    """Images uint8 (B, H, W, 3) and the lesion's part of every pixel, float32 (B, H, W, 1) in 0..1.

    Parameters
    ----------
    images : uint8 array (N, H', W', 3)
    masks : uint8 array (N, H', W')
    input_size : (H, W)
        Cached images of another size are resized.
    augmentation : Augmentation, optional
        With it the batches are shuffled, too.
    """

    def __init__(
        self,
        images: np.ndarray,
        masks: np.ndarray,
        input_size: tuple[int, int],
        batch_size: int,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(len(images), batch_size, shuffle=augmentation is not None, seed=seed)
        self.images, self.masks, self.input_size, self.augmentation = images, masks, input_size, augmentation

    def make_batch(self, positions: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        images = np.empty((len(positions), *self.input_size, 3), np.uint8)
        masks = np.empty((len(positions), *self.input_size, 1), np.float32)
        for row, (position, seed) in enumerate(zip(positions, seeds, strict=True)):
            image = resize(np.asarray(self.images[position]), self.input_size)
            mask: np.ndarray | None = resize(np.asarray(self.masks[position]), self.input_size)
            if self.augmentation:
                image, mask = self.augmentation(image, mask, seed=int(seed))
            images[row], masks[row, ..., 0] = image, mask
        return images, masks / np.float32(255)


class ClassificationBatches(Batches):
    """Images uint8 (B, S, S, 3) and one-hot labels float32 (B, C), mixed where `mixup` is on.

    Parameters
    ----------
    images : uint8 array (N, R, R, 3)
        Regions of the images, larger than the box where it is jittered.
    labels : int array (N,)
    classes : int
    input_side : int
        S, in pixels.
    boxes : float array (N, 3), optional
        Centre x, centre y and side of the lesion's square box, as parts of the region; by default the whole region.
    jitter : float
        The most by which a box is moved and resized in training, as a part of its side.
    sampling : "natural", "square-root" or "balanced"
        How often a class is drawn: as it is, by the square root of its count, or as often as every other.
    image_weights : float array (N,), optional
        How many times as often each image is drawn as others of its class.
    mixup : float
        Alpha of MixUp's Beta distribution (Zhang et al. 2018), see `mixed`; 0 mixes no images.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        classes: int,
        input_side: int,
        batch_size: int,
        *,
        boxes: np.ndarray | None = None,
        jitter: float = 0.0,
        augmentation: Augmentation | None = None,
        sampling: str = "natural",
        image_weights: np.ndarray | None = None,
        mixup: float = 0.0,
        targets: np.ndarray | None = None,
        seed: int = 0,
    ) -> None:
        shuffle = augmentation is not None
        weights = sampling_weights(labels, sampling, image_weights)
        super().__init__(len(images), batch_size, shuffle=shuffle, seed=seed, weights=weights)
        self.images, self.labels, self.classes, self.input_side = images, labels, classes, input_side
        self.boxes, self.jitter, self.augmentation, self.mixup = boxes, jitter, augmentation, mixup
        self.targets = (
            np.eye(classes, dtype=np.float32)[labels] if targets is None else targets.astype(np.float32)
        )

    def make_batch(self, positions: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        images = np.empty((len(positions), self.input_side, self.input_side, 3), np.uint8)
        for row, (position, seed) in enumerate(zip(positions, seeds, strict=True)):
            image = resize(self._box_content(position, seed), (self.input_side, self.input_side))
            if self.augmentation:
                image, _ = self.augmentation(image, seed=int(seed))
            images[row] = image
        labels = self.targets[positions]
        return mixed(images, labels, self.mixup, int(seeds[0])) if self.mixup else (images, labels)

    def _box_content(self, position: int, seed: int) -> np.ndarray:
        region = np.asarray(self.images[position])
        if self.boxes is None:
            return region
        x, y, side = self.boxes[position]
        if self.jitter:
            shift_x, shift_y, growth = np.random.default_rng(seed).uniform(-self.jitter, self.jitter, 3)
            x, y, side = x + shift_x * side, y + shift_y * side, side * (1 + growth)
        length = len(region)
        pixels = int(np.clip(round(side * length), 1, length))
        left = int(np.clip(round(x * length - pixels / 2), 0, length - pixels))
        top = int(np.clip(round(y * length - pixels / 2), 0, length - pixels))
        return region[top : top + pixels, left : left + pixels]


def mixed(images: np.ndarray, labels: np.ndarray, alpha: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """MixUp (Zhang et al. 2018): every image blended with another one of the batch, and their labels likewise.

    Parameters
    ----------
    images : uint8 array (B, H, W, 3)
    labels : float32 array (B, C)
    alpha : float
        The part of each image is drawn from Beta(alpha, alpha), and is a half at least: an image stays its own.
    seed : int
    """
    rng = np.random.default_rng(seed)
    part = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    part = np.maximum(part, 1 - part)
    partners = rng.permutation(len(images))
    blended = [
        cv2.addWeighted(image, float(weight), images[partner], 1 - float(weight), 0)
        for image, weight, partner in zip(images, part, partners, strict=True)
    ]
    return np.stack(blended), labels * part[:, None] + labels[partners] * (1 - part[:, None])


def sampling_weights(
    labels: np.ndarray, sampling: str, image_weights: np.ndarray | None = None
) -> np.ndarray | None:
    """Weight (N,) of every image in the draw; None where every image comes once an epoch.

    Parameters
    ----------
    labels : int array (N,)
    sampling : "natural", "square-root" or "balanced"
    image_weights : float array (N,), optional
        An image of weight 2 counts as two, in its class's count, too.
    """
    if sampling == "natural":
        return image_weights
    counts = np.bincount(labels, weights=image_weights)[labels]
    weights: np.ndarray = 1 / counts if sampling == "balanced" else 1 / np.sqrt(counts)
    return weights if image_weights is None else weights * image_weights
