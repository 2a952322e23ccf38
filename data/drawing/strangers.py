"""Pictures that are no dermoscopy: leaves of colour that cover each other, and clouds.

Both have the statistics of photographs without showing anything: leaves their edges, flat parts and sizes of objects
(Lee, Mumford and Huang 2001, "Occlusion models for natural images"), clouds their spectrum, which falls with a power
of the frequency. A rule that learns what is strange from such pictures knows photographs that it has not seen (Baradad
et al. 2021, "Learning to see by looking at noise", arXiv 2106.05963; Hendrycks et al. 2019, arXiv 1812.04606).
"""

from collections.abc import Iterator

import cv2
import numpy as np

SIZE = (300, 400)
CLOUDS, MUTED, TEXTURED, BLURRED, GREY = 0.25, 0.6, 0.7, 0.6, 0.12  # the parts of all pictures
LARGEST = 0.67  # radius of a leaf, of the longer side


def strange_pictures(count: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Pictures of leaves and clouds, uint8 RGB arrays (300, 400, 3); the same for a seed."""
    for rng in np.random.default_rng(seed).spawn(count):
        picture = _clouds(rng) if rng.random() < CLOUDS else _leaves(rng)
        if rng.random() < MUTED:
            picture = _muted(picture, rng)
        if rng.random() < GREY:
            picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        yield picture


def _clouds(rng: np.random.Generator) -> np.ndarray:
    drift, contrast = rng.random(), rng.uniform(15, 70)
    return _as_bytes(rng.uniform(60, 200, 3) + contrast * _noise(rng, rng.uniform(0.6, 2.2), drift))


def _noise(rng: np.random.Generator, power: float, drift: float) -> np.ndarray:
    """Noise (H, W, 3) of deviation 1 whose amplitude falls with a power of the frequency.

    Its channels are alike at a `drift` of 0, and each its own at 1.
    """
    frequencies = np.hypot(np.fft.fftfreq(SIZE[0])[:, None], np.fft.rfftfreq(SIZE[1])[None])
    amplitudes = np.maximum(frequencies, 1 / max(SIZE)) ** -power
    phases = np.exp(2j * np.pi * rng.random((4, *amplitudes.shape)))
    common, *channels = np.fft.irfft2(amplitudes * phases, s=SIZE)
    noise = np.stack([drift * channel + (1 - drift) * common for channel in channels], axis=-1)
    scaled: np.ndarray = (noise - noise.mean()) / noise.std()
    return scaled


def _leaves(rng: np.random.Generator) -> np.ndarray:
    picture = np.empty((*SIZE, 3), np.uint8)
    palette = rng.integers(0, 256, (rng.integers(3, 12), 3))
    picture[:] = palette[0]
    smallest = rng.uniform(3, 20)
    for _ in range(rng.integers(30, 400)):
        radius = min(
            smallest * (1 - rng.random()) ** (-1 / 1.5), LARGEST * max(SIZE)
        )  # as often as objects are so large
        colour = _as_bytes(rng.choice(palette) + rng.normal(0, 18, 3)).tolist()
        cv2.fillPoly(picture, [_outline(rng, radius)], colour, cv2.LINE_AA)
    if rng.random() < TEXTURED:
        texture = _noise(rng, rng.uniform(0.5, 1.6), rng.uniform(0, 0.4))
        picture = _as_bytes(picture + rng.uniform(4, 25) * texture)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 3)) if rng.random() < BLURRED else picture


def _outline(rng: np.random.Generator, radius: float) -> np.ndarray:
    """Points (N, 2) of an ellipse or a polygon of three to six corners, anywhere in the picture."""
    centre = rng.integers(0, SIZE[::-1])
    if rng.random() < 1 / 3:
        axes, angle = (max(1, int(radius)), max(1, int(radius * rng.uniform(0.3, 1)))), int(rng.integers(180))
        return np.array(cv2.ellipse2Poly(centre.tolist(), axes, angle, 0, 360, 10))
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
    corners: np.ndarray = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return corners.astype(np.int32)


def _muted(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture with less colour and contrast, brighter or darker, often in warm light."""
    values = picture.astype(float)
    grey = values.mean(axis=-1, keepdims=True)
    values = (
        128
        + (grey + rng.uniform(0, 0.7) * (values - grey) - 128) * rng.uniform(0.4, 1)
        + rng.uniform(-50, 50)
    )
    warmth = rng.uniform(0, 0.35) * (rng.random() < 0.6)
    return _as_bytes(values * (1 + warmth * np.array([1, 0, -1])))


def _as_bytes(values: np.ndarray) -> np.ndarray:
    rounded: np.ndarray = np.clip(values, 0, 255).astype(np.uint8)
    return rounded
