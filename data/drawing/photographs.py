"""A photograph of a lesion: the skin around it, where it lies in the frame, the dermatoscope's light, the camera."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from data.drawing.artefacts import lay_artefacts
from data.drawing.brushes import Array, Shape, fibres, patches, smooth_noise, smoothstep
from data.drawing.lesions import Lesion
from data.drawing.pigments import BLOOD, MELANIN, SCATTERED_WHITE, cover, optical_density, reflected


@dataclass(frozen=True)
class Skin:
    """One person's skin: mean pigments, and how uneven they are."""

    melanin: float
    blood: float
    mottling: float
    freckles: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Skin":
        freckles = rng.uniform(0.005, 0.03) if rng.random() < 0.3 else 0.0
        return cls(0.04 + rng.gamma(1.5, 0.07), rng.uniform(0.03, 0.4), rng.uniform(0.3, 1.3), freckles)


@dataclass(frozen=True)
class Placement:
    """Where a lesion lies in the frame: radius and shift in shares of the shorter side, turn in degrees."""

    radius: float
    turn: float
    shift: tuple[float, float]

    @classmethod
    def sample(cls, rng: np.random.Generator, radius: float) -> "Placement":
        shift = np.clip(rng.normal(0, 0.06, 2), -0.12, 0.12)
        return cls(radius * rng.uniform(0.85, 1.18), rng.uniform(0, 360), (shift[0], shift[1]))

    def warp(self, layer: Array, pixels_per_radius: float, shape: Shape) -> Array:
        """A canvas layer as it falls on a frame of `shape`; nothing lies beyond the canvas."""
        zoom = self.radius * min(shape) / pixels_per_radius
        if zoom < 1:
            layer = cv2.GaussianBlur(layer, (0, 0), 0.4 / zoom)
        middle = (np.array(layer.shape[1::-1]) - 1) / 2
        matrix = cv2.getRotationMatrix2D(middle.tolist(), self.turn, zoom)
        matrix[:, 2] += (np.array(shape[::-1]) - 1) / 2 + np.array(self.shift) * min(shape) - middle
        return cv2.warpAffine(layer, matrix, shape[::-1], flags=cv2.INTER_LINEAR)


def skin_density(rng: np.random.Generator, shape: Shape, skin: Skin) -> Array:
    """Optical density (height, width, 3) of skin without a lesion: mottled, flushed, in places freckled."""
    clouds = smooth_noise(rng, shape, 0.2, octaves=5)
    flush = smooth_noise(rng, shape, 0.12, octaves=4)
    melanin = skin.melanin * np.clip(1 + 0.2 * skin.mottling * clouds, 0.2, None)
    blood = skin.blood * np.clip(1 + 0.18 * skin.mottling * flush, 0.2, None)
    if skin.freckles:
        melanin = melanin + 0.3 * patches(rng, shape, 0.09, skin.freckles, blur=0.9)
    return optical_density((melanin, MELANIN), (blood, BLOOD))


def skin_relief(rng: np.random.Generator, shape: Shape) -> Array:
    """Brightness of the skin's surface, around 1: two crossing sets of fine lines, and pores."""
    angle = rng.uniform(0, math.pi)
    lines = [np.abs(fibres(rng, shape, 0.16, 0.012, angle + turn)) for turn in (0, rng.uniform(0.9, 1.6))]
    grooves = smoothstep(0.25, 0.0, np.minimum(*lines))
    pores = smooth_noise(rng, shape, 0.01, octaves=2)
    return 1 - 0.045 * grooves + 0.018 * pores


def dermatoscope_light(rng: np.random.Generator, shape: Shape) -> Array:
    """Colour and brightness (height, width, 3) of the light: its tint, its gradient and the darker margin."""
    height, width = shape
    x = np.linspace(-1, 1, width, dtype=np.float32) * width / height
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    direction = rng.uniform(0, math.tau)
    gradient = 1 + rng.uniform(0, 0.1) * (x * math.cos(direction) + y * math.sin(direction))
    vignette = 1 - rng.uniform(0.02, 0.16) * (x**2 + y**2) / 2
    tint = 1 + rng.normal(0, 1, 3) * (0.03, 0.05, 0.08)
    brightness = rng.uniform(0.9, 1.08) * gradient * vignette
    return cv2.merge([brightness * float(channel) for channel in tint])


def lens_border(rng: np.random.Generator, shape: Shape) -> Array:
    """Brightness (height, width): 1 within the round field of view and dark in the corners beyond it."""
    height, width = shape
    centre = np.array([width, height]) * (0.5 + rng.normal(0, 0.015, 2))
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    distance = np.hypot(x - float(centre[0]), y - float(centre[1])) / math.hypot(*shape)
    edge = rng.uniform(0.4, 0.48)
    return 1 - 0.93 * smoothstep(edge, edge + 0.03, distance)


def camera(image: Array, rng: np.random.Generator) -> Array:
    """The image as the camera keeps it: slightly blurred, noisy, uint8."""
    height, width = image.shape[:2]
    sharpness = rng.uniform(0.0006, 0.0018) * min(height, width)
    image = cv2.GaussianBlur(image, (0, 0), max(0.3, sharpness))
    brightness_grain = rng.standard_normal((height, width, 1), np.float32)
    coarse = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), np.float32)
    colour_grain = cv2.resize(coarse, (width, height))
    image = image + rng.uniform(0.003, 0.009) * (brightness_grain + colour_grain)
    pixels: Array = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return pixels


def take_photograph(
    lesion: Lesion,
    skin: Skin,
    placement: Placement,
    shape: Shape,
    rng: np.random.Generator,
    artefacts: bool = True,
) -> tuple[Array, Array]:
    """One photograph of a lesion and the lesion's exact mask in it.

    Returns
    -------
    image : uint8 array (height, width, 3), RGB
    mask : bool array (height, width), where the painted coverage is above 0.5
    """
    coverage = placement.warp(lesion.coverage, lesion.radius, shape)
    density = skin_density(rng, shape, skin) + placement.warp(lesion.density, lesion.radius, shape)
    white = placement.warp(lesion.white, lesion.radius, shape)
    image = cover(reflected(density), white, SCATTERED_WHITE)
    light = dermatoscope_light(rng, shape) * skin_relief(rng, shape)[..., None]
    if rng.random() < 0.2:
        light *= lens_border(rng, shape)[..., None]
    artefact_rng, camera_rng = rng.spawn(2)
    if artefacts:
        image = lay_artefacts(image, artefact_rng)
    return camera(image * light, camera_rng), coverage > 0.5
