"""Pictures for pages and files: contours painted on images, and images encoded as JPEG, PNG or a data URI."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from data.resizing import resize, resize_mask

Colour = tuple[int, int, int]

CONTOUR_COLOUR: Colour = (72, 232, 214)
REFERENCE_COLOUR: Colour = (255, 255, 255)
HALO_COLOUR: Colour = (24, 26, 30)

JPEG_QUALITY = 85


def scaled_size(size: Sequence[int], longest_side: int) -> tuple[int, int]:
    """The (height, width) with the proportions of `size` whose longer side is `longest_side`."""
    scale = longest_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def reduced(image: np.ndarray, longest_side: int) -> np.ndarray:
    """An image (H, W) or (H, W, C) at most `longest_side` long; a smaller one as it is."""
    if max(image.shape[:2]) <= longest_side:
        return image
    return resize(image, scaled_size(image.shape[:2], longest_side))


def mask_contours(mask: np.ndarray) -> Sequence[np.ndarray]:
    """The outer contours of a bool mask (H, W), each an int array (N, 1, 2) of x and y."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return contours


def paint_lines(picture: np.ndarray, lines: Sequence[np.ndarray], colour: Colour, width: int) -> None:
    """Closed lines on an RGB picture, with a dark halo that sets them off from pale skin and dark lesions."""
    cv2.polylines(picture, lines, True, HALO_COLOUR, width + 2 * max(1, width // 2), cv2.LINE_AA)
    cv2.polylines(picture, lines, True, colour, width, cv2.LINE_AA)


def paint_mask(picture: np.ndarray, mask: np.ndarray, width: int, colour: Colour = CONTOUR_COLOUR) -> None:
    """The contour of a bool mask, of any size, on an RGB picture (H, W, 3) of the same image."""
    height, columns = picture.shape[:2]
    paint_lines(picture, mask_contours(resize_mask(mask, (height, columns))), colour, width)


def outlined(image: np.ndarray, mask: np.ndarray, longest_side: int = 360) -> np.ndarray:
    """An image uint8 RGB (H, W, 3) with the contour of a bool mask (H, W), reduced to a longest side."""
    picture = resize(image, scaled_size(image.shape[:2], longest_side)).copy()
    paint_mask(picture, mask, width=2)
    return picture


def compared_masks(
    image: np.ndarray, mask: np.ndarray, reference: np.ndarray, longest_side: int = 360
) -> np.ndarray:
    """An image with the contours of a mask (teal) and of its reference (white).

    Parameters
    ----------
    image : uint8 RGB array (H, W, 3)
    mask, reference : bool arrays (H, W)
    longest_side : of the picture, in pixels

    Returns
    -------
    uint8 RGB array in the image's aspect ratio.
    """
    picture = resize(image, scaled_size(image.shape[:2], longest_side)).copy()
    paint_mask(picture, reference, width=2, colour=REFERENCE_COLOUR)
    paint_mask(picture, mask, width=2)
    return picture


def encoded(picture: np.ndarray, suffix: str, quality: int = JPEG_QUALITY) -> bytes:
    """A picture file's content.

    Parameters
    ----------
    picture : uint8 array: grey (H, W), RGB (H, W, 3) or RGB with opacity (H, W, 4)
    suffix : ".jpg" or ".png"
    quality : of a JPEG, 0..100
    """
    if picture.ndim == 3:
        to_opencv = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        picture = cv2.cvtColor(picture, to_opencv)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    return cv2.imencode(suffix, picture, settings)[1].tobytes()


def jpeg_uri(picture: np.ndarray, quality: int = JPEG_QUALITY) -> str:
    """An RGB picture (H, W, 3) as the data URI of a JPEG."""
    return data_uri("jpeg", encoded(picture, ".jpg", quality))


def data_uri(image_format: str, content: bytes) -> str:
    """A picture file's content as an address that needs no request; the format is "jpeg" or "png"."""
    return f"data:image/{image_format};base64,{base64.b64encode(content).decode()}"
