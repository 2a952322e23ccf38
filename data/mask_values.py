"""What the values of a mask's pixels mean: lesion or skin."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data.rgb import upright

# Values of 8 bits that are near black, and near white: a soft edge and the compression of JPEG make them.
DARK, BRIGHT = 32, 224
# Part of a soft mask's pixels that may be neither. Of 2,065 masks of ISIC 2018 task 1 none has over 0.032.
MOST_GREY = 0.1
# And of a mask of three values, whose middle one may be a label of its own.
MOST_GREY_OF_THREE = 0.01


class MaskValueError(Exception):
    """A mask that doesn't say where the lesion is; the message says why and the mend, without the file's name."""


def lesion_of(image: Image.Image) -> NDArray[np.bool_]:
    """Tell the lesion from the skin by a mask's values.

    A mask of two values is lesion where it is not zero, whatever the other value. One of more values is a soft mask
    of 8 bits (16 are scaled down to 8): lesion where the value is over 127. It needs black and white, and at most a
    tenth of its pixels may lie between dark and bright. Of a coloured mask the brightest channel counts. Where a mask
    is drawn in one colour on a transparent ground, the opaque part is the lesion.

    Parameters
    ----------
    image : PIL image of any mode

    Returns
    -------
    bool array (H, W), True on the lesion

    Raises
    ------
    MaskValueError
        If the values can be read in more than one way.
    """
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        colours, alpha = rgba[..., :3], rgba[..., 3]
        if alpha.min() < alpha.max():
            return _opaque_part(colours, alpha)
        if not alpha.any():
            raise MaskValueError("the mask is wholly transparent; save it black and white.")
        return _by_colours(colours)
    if image.mode.startswith("I;16"):
        return _by_levels(upright(np.asarray(image), image))
    if image.mode in {"1", "L", "I", "F"}:
        return _by_levels(np.asarray(image))
    return _by_colours(np.asarray(image.convert("RGB")))


def _opaque_part(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.bool_]:
    lesion = _by_levels(alpha)
    if len(np.unique(colours[lesion], axis=0)) > 1:
        raise MaskValueError(
            "the mask varies both in colour and in transparency, and either may mean the lesion; "
            "save it black and white, without transparency."
        )
    return lesion


def _by_colours(colours: NDArray[np.uint8]) -> NDArray[np.bool_]:
    brightest = colours.max(axis=2)
    spread = int((brightest - colours.min(axis=2)).max())
    if spread >= DARK and not (brightest < DARK).any():
        raise MaskValueError(
            "the mask's colours have no black ground, so that lesion and skin can't be told apart; "
            "save it with the lesion white and the skin black."
        )
    return _by_levels(brightest)


def _by_levels(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise MaskValueError("the mask holds values that are no numbers; save it black and white.")
    low, high = values.min(), values.max()
    if low == high:
        return np.asarray(values != 0)
    if ((values == low) | (values == high)).all() and low == 0:
        return np.asarray(values != 0)
    return _soft(values)


def _soft(values: NDArray[Any]) -> NDArray[np.bool_]:
    levels = (values >> 8).astype(np.uint8) if values.dtype == np.uint16 else values
    if levels.dtype != np.uint8:
        raise MaskValueError(f"the mask's values are neither two with zero nor of 8 bits; {_MEND}")
    counts = np.bincount(levels.ravel(), minlength=256)
    found = np.flatnonzero(counts)
    grey = counts[DARK:BRIGHT].sum() / levels.size
    labels = found.tolist() == [0, 1, 255] or (len(found) == 3 and grey > MOST_GREY_OF_THREE)
    if found[0] >= DARK or found[-1] < BRIGHT or grey > MOST_GREY or labels:
        raise MaskValueError(
            f"the mask holds {len(found)} values from {found[0]} to {found[-1]}, {grey:.0%} of its pixels grey, "
            f"so that lesion and skin can't be told apart; {_MEND}"
        )
    return np.asarray(levels > 127)


_MEND = "save it with the lesion white and the skin black."
