"""The augmentation recipes, one a stage.

Dermoscopic images have no up and no left, differ in light, white balance and magnification from camera to camera, and
carry hair, gel and compression. The recipes draw on just these differences, and leave a lesion's own colours in the
range in which a diagnosis stays the same.
"""

import os
from typing import Any

import cv2
import numpy as np

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # no question to the network when it is imported

import albumentations as A  # noqa: N812 - its own documentation's name for it

from data.drawing.artefacts import lay_artefacts
from data.drawing.photographs import lens_border


class Augmentation:
    """A recipe of albumentations, seeded call by call.

    Parameters
    ----------
    stage : "segmentation" or "classification"
    strength : "none", "light", "strong" or "varied"
        "varied" is "strong" and what differs from one source of images to another: colour casts and resolution, drawn
        alike for all images, so that no class can be told by the source that it comes from; for segmentation also
        hair, ink, a ruler and the dark corners of a round lens.
    """

    def __init__(self, stage: str, strength: str) -> None:
        recipes = {"segmentation": _segmentation_recipe, "classification": _classification_recipe}
        transforms = [] if strength == "none" else recipes[stage](strength in {"strong", "varied"})
        if strength == "varied":
            transforms += _source_recipe()
            transforms += _artefact_recipe() if stage == "segmentation" else []
        self._compose = A.Compose(transforms)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray | None = None, *, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Augment an image uint8 (H, W, 3) and, with the same geometry, its mask uint8 (H, W).

        The same seed gives the same result, whatever was augmented before.
        """
        self._compose.set_random_seed(seed)
        if mask is None:
            return self._compose(image=image)["image"], None
        augmented = self._compose(image=image, mask=mask)
        return augmented["image"], augmented["mask"]


def as_uint8(image: np.ndarray) -> np.ndarray:
    """A float image in 0..255, cut off at both ends and rounded."""
    rounded: np.ndarray = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    return rounded


class Artefacts(A.ImageOnlyTransform):  # type: ignore[misc]
    """Hair, a ruler, gel bubbles and glints, as `data.drawing.artefacts` draws them."""

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
        """Draw on a uint8 image (H, W, 3)."""
        laid = lay_artefacts(img.astype(np.float32) / 255, self.random_generator)
        return as_uint8(laid * 255)


class DarkCorners(A.ImageOnlyTransform):  # type: ignore[misc]
    """The dark corners beyond the round field of view of a dermatoscope."""

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
        """Darken the corners of a uint8 image (H, W, 3)."""
        light = lens_border(self.random_generator, img.shape[:2])
        return as_uint8(img * light[..., None])


def _segmentation_recipe(strong: bool) -> list[A.BasicTransform]:
    reach = 2.0 if strong else 1.0
    return [
        A.HorizontalFlip(p=0.5),
        A.VerticalFlip(p=0.5),
        A.Affine(
            scale={"x": (1 - 0.15 * reach, 1 + 0.2 * reach), "y": (1 - 0.15 * reach, 1 + 0.2 * reach)},
            translate_percent=(-0.08 * reach, 0.08 * reach),
            rotate=(-90 * reach, 90 * reach),
            border_mode=cv2.BORDER_REFLECT_101,
            p=0.8,
        ),
        *_colour_recipe(reach),
    ]


def _classification_recipe(strong: bool) -> list[A.BasicTransform]:
    reach = 2.0 if strong else 1.0
    recipe: list[A.BasicTransform] = [
        A.D4(p=1.0),
        A.Affine(
            scale=(1 - 0.1 * reach, 1 + 0.15 * reach),
            translate_percent=(-0.05 * reach, 0.05 * reach),
            rotate=(-45, 45),
            shear=(-4 * reach, 4 * reach),
            border_mode=cv2.BORDER_REFLECT_101,
            p=0.7,
        ),
        *_colour_recipe(reach),
    ]
    if strong:
        holes = {
            "num_holes_range": (1, 3),
            "hole_height_range": (0.08, 0.25),
            "hole_width_range": (0.08, 0.25),
        }
        recipe.append(A.CoarseDropout(**holes, fill="random_uniform", p=0.3))
    return recipe


def _source_recipe() -> list[A.BasicTransform]:
    """Differences between cameras: the light's colour, per-channel gain, and detail."""
    return [
        A.PlanckianJitter(mode="blackbody", p=0.3),
        A.MultiplicativeNoise(multiplier=(0.85, 1.15), per_channel=True, elementwise=False, p=0.4),
        A.Downscale(
            scale_range=(0.3, 0.9),
            interpolation_pair={"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR},
            p=0.5,
        ),
    ]


def _artefact_recipe() -> list[A.BasicTransform]:
    """What hides a lesion's border, drawn on the photograph; the mask stays as it is."""
    return [
        Artefacts(p=0.25),
        DarkCorners(p=0.25),
    ]


def _colour_recipe(reach: float) -> list[A.BasicTransform]:
    return [
        A.RandomBrightnessContrast(0.1 * reach, 0.1 * reach, p=0.7),
        A.HueSaturationValue(int(4 * reach), int(12 * reach), int(6 * reach), p=0.5),
        A.RandomGamma((int(100 - 10 * reach), int(100 + 10 * reach)), p=0.3),
        A.OneOf(
            [
                A.GaussianBlur(blur_limit=0, sigma_limit=(0.3, 0.5 * reach), p=1.0),
                A.ImageCompression(quality_range=(60, 95), p=1.0),
                A.GaussNoise(std_range=(0.01, 0.02 * reach), p=1.0),
            ],
            p=0.2,
        ),
    ]
