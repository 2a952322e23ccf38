"""One drawn lesion a class: its contour, its pigments and the structures that give the class away.

The rules that each class follows are the table in `data.drawing.dataset`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.drawing.brushes import Array, patches, smooth_noise, smoothstep
from data.drawing.pigments import BLOOD, DERMAL_MELANIN, KERATIN, MELANIN, optical_density
from data.drawing.structures import (
    Canvas,
    arborising_vessels,
    blot,
    cobblestones,
    contour,
    fingerprint_ridges,
    pigment_network,
    scale,
    spots,
    streaks,
    white_fibres,
)


@dataclass(frozen=True)
class Lesion:
    """What one lesion adds to the skin, on a square canvas centred on it.

    Attributes
    ----------
    coverage : float32 (side, side), 0..1; the lesion's exact shape is where it is above 0.5
    density : float32 (side, side, 3), optical density that the lesion's pigments add in red, green and blue
    white : float32 (side, side), 0..1, share of light that is scattered back before it meets a pigment
    radius : pixels in the lesion's mean radius
    """

    coverage: Array
    density: Array
    white: Array
    radius: float


def paint(
    canvas: Canvas,
    rng: np.random.Generator,
    coverage: Array,
    melanin: Array | float = 0.0,
    dermal_melanin: Array | float = 0.0,
    blood: Array | float = 0.0,
    keratin: Array | float = 0.0,
    white: Array | float = 0.0,
) -> Lesion:
    """A lesion of these amounts of pigment, thinned towards its border as its coverage is, and finely granular."""
    pigmented = coverage * (1 + 0.1 * smooth_noise(rng, canvas.shape, canvas.fraction(0.07)))
    amounts = ((melanin, MELANIN), (dermal_melanin, DERMAL_MELANIN), (blood, BLOOD), (keratin, KERATIN))
    density = optical_density(*((np.maximum(amount, 0) * pigmented, pigment) for amount, pigment in amounts))
    return Lesion(coverage, density, np.clip(white * coverage, 0, 1).astype(np.float32), canvas.radius)


def soft_border(canvas: Canvas, rng: np.random.Generator, depth: Array, width: float) -> Array:
    """Coverage that crosses 0.5 on the contour and fades over `width` radii, more in some places than in others."""
    fading = width / 2 * np.exp(0.5 * smooth_noise(rng, canvas.shape, canvas.fraction(1.0), octaves=1))
    return smoothstep(-1, 1, depth / fading)


def off_centre(rng: np.random.Generator, distance: float) -> tuple[float, float]:
    """A point about `distance` radii from the centre."""
    direction = rng.uniform(0, math.tau)
    distance *= rng.uniform(0.7, 1.2)
    return distance * math.cos(direction), distance * math.sin(direction)


def naevus(canvas: Canvas, rng: np.random.Generator) -> Lesion:
    """One brown, darker inside, with an even network or even globules."""
    depth = contour(canvas, rng, elongation=rng.uniform(1, 1.4), lobes=0.06, roughness=0.035)
    inner = smoothstep(-0.1, rng.uniform(0.3, 0.8), depth)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.5), octaves=4)
    melanin = rng.uniform(0.5, 1.3) * (0.45 + 0.55 * inner) * (1 + 0.18 * cloud)
    if rng.random() < 0.6:
        network = pigment_network(canvas, rng, rng.uniform(0.08, 0.11), 0.014, jitter=0.5)
        melanin = melanin * 0.85 + rng.uniform(0.5, 0.9) * network * (1.2 - 0.7 * inner)
    else:
        melanin = melanin + 0.6 * spots(canvas, rng, 220, depth > 0.03, (0.018, 0.05), blur=0.45)
    return paint(
        canvas,
        rng,
        soft_border(canvas, rng, depth, rng.uniform(0.12, 0.3)),
        melanin=melanin,
        blood=rng.uniform(0, 0.35),
    )


def melanoma(canvas: Canvas, rng: np.random.Generator) -> Lesion:
    """Asymmetric, of many colours, with streaks, a blue-white veil and an atypical network."""
    depth = contour(canvas, rng, elongation=rng.uniform(1.1, 1.6), lobes=0.3, roughness=0.1)
    fingers = streaks(canvas, rng, depth, sector=rng.uniform(1.2, 2.6), count=int(rng.integers(12, 30)))
    coverage = np.maximum(soft_border(canvas, rng, depth, rng.uniform(0.1, 0.28)), fingers)
    side = rng.uniform(0, math.tau)
    slope = canvas.x * math.cos(side) + canvas.y * math.sin(side)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.7), octaves=5)
    melanin = rng.uniform(0.6, 1.1) * np.exp(0.45 * slope + 0.35 * cloud) + 0.5 * fingers
    network = pigment_network(canvas, rng, rng.uniform(0.1, 0.15), 0.032, jitter=0.5)
    melanin += 0.9 * network * patches(rng, canvas.shape, canvas.fraction(0.8), 0.5)
    black = blot(canvas, rng, off_centre(rng, 0.45), rng.uniform(0.25, 0.45), blur=0.25)
    melanin += 1.6 * black + 1.1 * spots(canvas, rng, 70, (depth > 0.02) & (slope > 0), (0.015, 0.06), 1.8)
    veil = blot(canvas, rng, off_centre(rng, 0.4), rng.uniform(0.3, 0.5), blur=0.5)
    veil = veil * np.clip(0.75 + 0.3 * cloud, 0, 1)
    red = blot(canvas, rng, off_centre(rng, 0.6), rng.uniform(0.2, 0.45), blur=0.4)
    regression = blot(canvas, rng, off_centre(rng, 0.6), rng.uniform(0.1, 0.3), blur=0.3)
    return paint(
        canvas,
        rng,
        coverage,
        melanin=melanin * (1 - 0.6 * veil) * (1 - 0.7 * regression),
        dermal_melanin=0.85 * veil + 0.25 * regression,
        blood=0.1 + 0.7 * red,
        white=0.28 * veil + 0.3 * regression,
    )


def benign_keratosis(canvas: Canvas, rng: np.random.Generator) -> Lesion:
    """Waxy and sharply bordered, as if stuck on, with cysts, openings and ridges."""
    depth = contour(canvas, rng, elongation=rng.uniform(1, 1.5), lobes=0.14, roughness=0.05)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.35), octaves=4)
    melanin = rng.uniform(0.3, 1.1) * np.exp(0.35 * cloud)
    ridges = fingerprint_ridges(canvas, rng, spacing=rng.uniform(0.12, 0.17))
    ridged = patches(rng, canvas.shape, canvas.fraction(0.9), 0.5)
    melanin = melanin * (1 - 0.5 * ridges * ridged * smoothstep(0.5, 0.1, depth))
    cysts = spots(canvas, rng, int(rng.integers(14, 34)), depth > 0.1, (0.025, 0.065), 1.2, blur=0.45)
    openings = spots(canvas, rng, int(rng.integers(5, 14)), depth > 0.12, (0.03, 0.07), 2.0, blur=0.25)
    rim = smoothstep(0.16, 0.03, depth)
    return paint(
        canvas,
        rng,
        soft_border(canvas, rng, depth, 0.05),
        melanin=melanin * (1 - 0.7 * cysts) + 1.6 * openings + 0.25 * rim,
        dermal_melanin=rng.uniform(0, 0.2),
        keratin=rng.uniform(0.1, 0.6) + 0.2 * cysts,
        white=0.55 * cysts + 0.08,
    )


def basal_cell_carcinoma(canvas: Canvas, rng: np.random.Generator) -> Lesion:
    """Pink and translucent, with branching vessels and blue-grey nests."""
    depth = contour(canvas, rng, elongation=rng.uniform(1, 1.5), lobes=0.16, roughness=0.06)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.5), octaves=4)
    vessels = arborising_vessels(canvas, rng, int(rng.integers(2, 4)), (depth > 0) & (depth < 0.3))
    pigmented = (depth > 0.1) & (cloud > 0)
    nests = spots(canvas, rng, int(rng.integers(5, 14)), pigmented, (0.07, 0.17), 1.8, blur=0.35)
    dots = spots(canvas, rng, int(rng.integers(10, 30)), pigmented, (0.015, 0.035))
    ulcer = blot(canvas, rng, off_centre(rng, 0.35), rng.uniform(0.08, 0.25), blur=0.08)
    ulcer = ulcer * (rng.random() < 0.4)
    return paint(
        canvas,
        rng,
        soft_border(canvas, rng, depth, rng.uniform(0.15, 0.35)),
        melanin=0.12 + 0.12 * cloud + 0.5 * dots + 0.35 * nests + 0.5 * ulcer,
        dermal_melanin=0.8 * nests + 0.5 * dots,
        blood=rng.uniform(0.3, 0.55) + 0.1 * cloud + 0.7 * vessels + 0.9 * ulcer,
        keratin=0.8 * ulcer,
        white=0.16 + 0.08 * cloud - 0.4 * vessels,
    )


def actinic_keratosis(canvas: Canvas, rng: np.random.Generator) -> Lesion:
    """A red mesh around pale follicles, under scale."""
    depth = contour(canvas, rng, elongation=rng.uniform(1, 1.6), lobes=0.18, roughness=0.08)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.4), octaves=4)
    follicles = spots(canvas, rng, 130, depth > 0.03, (0.02, 0.05), 1.3, blur=0.5)
    plugs = spots(canvas, rng, 40, depth > 0.05, (0.012, 0.022), 1.2)
    mesh = pigment_network(canvas, rng, 0.17, 0.055, jitter=0.4)
    flakes = scale(canvas, rng, share=rng.uniform(0.15, 0.4))
    crust = blot(canvas, rng, off_centre(rng, 0.4), rng.uniform(0.1, 0.22), blur=0.1)
    crust = crust * (rng.random() < 0.5)
    brown = patches(rng, canvas.shape, canvas.fraction(0.7), rng.uniform(0.1, 0.4))
    return paint(
        canvas,
        rng,
        soft_border(canvas, rng, depth, rng.uniform(0.25, 0.55)),
        melanin=0.18 + 0.35 * brown * (1 + 0.4 * cloud) + 0.5 * crust,
        blood=(rng.uniform(0.25, 0.6) + 0.14 * cloud + 0.3 * mesh) * (1 - 0.55 * follicles) + 0.4 * crust,
        keratin=0.15 + 0.5 * plugs + 1.1 * crust,
        white=0.18 * follicles + 0.5 * flakes,
    )


def dermatofibroma(canvas: Canvas, rng: np.random.Generator) -> Lesion:
    """A white scar within a brown ring that fades into the skin."""
    depth = contour(canvas, rng, elongation=rng.uniform(1, 1.25), lobes=0.06, roughness=0.05)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.4), octaves=4)
    scar = blot(canvas, rng, off_centre(rng, 0.1), rng.uniform(0.3, 0.5), blur=0.7)
    ring = smoothstep(0, 0.4, depth) * (1 - scar)
    network = pigment_network(canvas, rng, rng.uniform(0.08, 0.11), 0.014, jitter=0.5)
    melanin = (rng.uniform(0.35, 0.65) * (1 + 0.15 * cloud) + 0.38 * network) * (0.35 + 0.65 * ring)
    fibrous = white_fibres(canvas, rng)
    return paint(
        canvas,
        rng,
        soft_border(canvas, rng, depth, rng.uniform(0.3, 0.5)),
        melanin=melanin * (1 - 0.8 * scar),
        blood=rng.uniform(0.15, 0.5) * (1 - 0.5 * scar) + 0.06 * cloud,
        white=scar * (rng.uniform(0.25, 0.45) + 0.1 * cloud + 0.35 * fibrous),
    )


def vascular_lesion(canvas: Canvas, rng: np.random.Generator) -> Lesion:
    """Red to purple lacunae, packed closely."""
    depth = contour(canvas, rng, elongation=rng.uniform(1, 1.35), lobes=0.1, roughness=0.05)
    levels, septa = cobblestones(canvas, rng, rng.uniform(0.16, 0.36), gap=0.04, jitter=0.6)
    cloud = smooth_noise(rng, canvas.shape, canvas.fraction(0.5), octaves=4)
    septa = septa * np.clip(0.55 + 0.45 * cloud, 0, 1)
    purple = rng.uniform(0, 0.5)
    dark = smoothstep(0.75, 0.95, levels) * (rng.random() < 0.5)
    return paint(
        canvas,
        rng,
        soft_border(canvas, rng, depth, 0.1),
        blood=rng.uniform(1.1, 1.7) * (0.6 + 0.5 * levels) * (1 - 0.35 * septa) + 0.1 * cloud,
        dermal_melanin=purple * levels + 0.6 * dark,
        white=0.2 * septa + 0.05,
    )


PAINTERS: dict[str, Callable[[Canvas, np.random.Generator], Lesion]] = {
    "akiec": actinic_keratosis,
    "bcc": basal_cell_carcinoma,
    "bkl": benign_keratosis,
    "df": dermatofibroma,
    "mel": melanoma,
    "nv": naevus,
    "vasc": vascular_lesion,
}
