"""Colour from what absorbs light: skin and lesions are painted as pigments, and take their colours from those.

Light loses the share `1 - exp(-density)` on its way through a layer (Beer-Lambert). One unit of a pigment has the
optical density below in red, green and blue light; the figures are tuned by eye. The same melanin looks brown near the
surface and blue-grey deep in the dermis, where shorter waves are scattered back before they reach it.
"""

import cv2
import numpy as np

from data.drawing.brushes import Array

MELANIN = (0.52, 0.95, 1.28)
DERMAL_MELANIN = (1.05, 0.82, 0.5)
BLOOD = (0.1, 0.95, 0.52)
KERATIN = (0.06, 0.3, 0.85)

BLOODLESS_SKIN = (0.93, 0.83, 0.80)
SCATTERED_WHITE = (0.93, 0.84, 0.86)

Colour = tuple[float, float, float]


def optical_density(*layers: tuple[Array, Colour]) -> Array:
    """Optical density, float32 (height, width, 3), of layers given as (amount (height, width), pigment)."""
    channels = [sum(amount * pigment[channel] for amount, pigment in layers) for channel in range(3)]
    return cv2.merge([np.asarray(channel, np.float32) for channel in channels])


def reflected(density: Array) -> Array:
    """The colour, float32 (height, width, 3) 0..1, of skin whose pigments have this optical density."""
    ground = cv2.merge([np.full(density.shape[:2], channel, np.float32) for channel in BLOODLESS_SKIN])
    return ground * cv2.exp(-density)


def cover(image: Array, opacity: Array, colour: Colour) -> Array:
    """`image` (height, width, 3) with `colour` laid over it where `opacity` (height, width) is above 0."""
    covered = image.copy()
    touched = opacity > 0.002
    covered[touched] += opacity[touched, None] * (np.array(colour, np.float32) - image[touched])
    return covered
