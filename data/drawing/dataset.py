"""Drawn lesions with exact masks and known classes, for tests and for a first run without a dataset.

Each class follows rules that can be seen, after the criteria that dermoscopy teaches for it:

======  ==================  ===============================  ====================================================
class   contour             colours                          structures
======  ==================  ===============================  ====================================================
akiec   uneven, faded       pink to red, some brown          strawberry pattern (red mesh around pale follicles),
                                                             white scale, in half of them a crust
bcc     uneven, faded       pink, translucent white          arborising vessels, blue-grey ovoid nests and dots,
                                                             in some an ulcer
bkl     sharp, lobed        one waxy yellow-brown to brown   milia-like cysts, comedo-like openings, fingerprint
                                                             ridges near the border
df      round, very faded   brown to pink ring               central white patch with shiny white lines, faint
                                                             network around it
mel     asymmetric, rough   light and dark brown, black,     streaks on one side, blue-white veil, broken coarse
                            blue-grey, red, white            network, irregular globules, a scar of regression
nv      regular, oval       one brown, darker inside         an even network, or even globules
vasc    round, lobed        red to purple, in half of them   lacunae between pale septa
                            some almost black
======  ==================  ===============================  ====================================================

They are caricatures for software, not for teaching people: a model trained on them knows nothing about skin.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from data.datasets.catalog import DatasetError
from data.datasets.diagnoses import HAM10000_CLASSES
from data.drawing.lesions import PAINTERS
from data.drawing.photographs import Placement, Skin, take_photograph
from data.drawing.structures import Canvas
from data.files import replacing_folder
from data.progress import Progress, unwatched

METADATA_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
LOCALIZATIONS = (
    "abdomen",
    "back",
    "chest",
    "face",
    "foot",
    "lower extremity",
    "neck",
    "trunk",
    "upper extremity",
)
IMAGES_PER_LESION = 1.5
SMALLEST_SIDE = 64


@dataclass(frozen=True)
class DrawnLesion:
    """One drawn photograph.

    Attributes
    ----------
    image : uint8 array (height, width, 3), RGB
    mask : bool array (height, width), the lesion's shape exactly as painted, hair and marks or not
    dx : class code
    """

    image: np.ndarray
    mask: np.ndarray
    dx: str


def draw_lesion(
    seed: int, dx: str, size: tuple[int, int] = (450, 600), *, photograph: int = 0, artefacts: bool = True
) -> DrawnLesion:
    """Draw one lesion and photograph it.

    Parameters
    ----------
    seed : which lesion, 0 or more; the same seed, class and size draw the same lesion on the same person's skin
    dx : one of `data.datasets.diagnoses.HAM10000_CLASSES`
    size : (height, width) in pixels, from 64 up
    photograph : which photograph of that lesion, 0 or more; each has its own turn, zoom, shift, light and hair
    artefacts : whether hair, ruler marks, gel bubbles and glints lie over the skin; the mask does not depend on it

    Raises
    ------
    ValueError
        If `dx` is not a class that can be drawn, or `size` is too small.
    """
    if dx not in PAINTERS:
        raise ValueError(f"no lesion of class {dx!r} can be drawn; choose one of {', '.join(PAINTERS)}")
    if min(size) < SMALLEST_SIDE:
        raise ValueError(
            f"an image of {size[0]}x{size[1]} pixels is too small to draw in; both sides must be {SMALLEST_SIDE} or "
            "more"
        )
    identity = [seed, HAM10000_CLASSES.index(dx)]
    lesion_rng = np.random.default_rng(identity)
    photograph_rng = np.random.default_rng([*identity, photograph])
    skin = Skin.sample(lesion_rng)
    radius = lesion_rng.uniform(0.14, 0.4)
    lesion = PAINTERS[dx](Canvas.for_radius(radius * min(size)), lesion_rng)
    placement = Placement.sample(photograph_rng, radius)
    image, mask = take_photograph(lesion, skin, placement, size, photograph_rng, artefacts)
    return DrawnLesion(image, mask, dx)


def synthesize_dataset(
    directory: str | Path,
    count: int,
    seed: int,
    size: tuple[int, int] = (450, 600),
    progress: Progress = unwatched,
) -> None:
    """Write a dataset of drawn lesions in HAM10000's form.

    The folder gets `HAM10000_metadata.csv`, `images/<image_id>.jpg` and `masks/<image_id>_segmentation.png` (0, 255).
    Two thirds as many lesions as images are drawn, so that some lesions have several; the classes take turns, and all
    of them appear from seven images on. The folder appears all at once when everything is written.

    Parameters
    ----------
    directory : folder to make; it may exist if it is empty
    count : number of images, 1 or more
    seed : 0 or more; the same count, seed and size write the same dataset
    size : (height, width) of the images in pixels
    progress : called after every image with the number of images written and of all images

    Raises
    ------
    DatasetError
        If `directory` is a file or a folder that holds something, `count` is less than 1, or `size` is too small.
    """
    directory = Path(directory)
    if count < 1:
        raise DatasetError(f"{directory}: a dataset of {count} images can't be drawn; ask for 1 or more")
    if min(size) < SMALLEST_SIDE:
        raise DatasetError(
            f"{directory}: images of {size[0]} x {size[1]} pixels are too small to draw in; both sides must be "
            f"{SMALLEST_SIDE} or more"
        )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise DatasetError(
            f"{directory} is not an empty folder; name a new one, so that nothing is overwritten"
        )
    with replacing_folder(directory) as folder:
        (folder / "images").mkdir()
        (folder / "masks").mkdir()
        rows = []
        for row, drawn in drawn_rows(count, seed, size):
            rows.append(row)
            name = row["image_id"]
            Image.fromarray(drawn.image).save(folder / "images" / f"{name}.jpg", quality=90)
            Image.fromarray(drawn.mask.astype(np.uint8) * 255).save(
                folder / "masks" / f"{name}_segmentation.png"
            )
            progress(len(rows), count)
        with (folder / "HAM10000_metadata.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, METADATA_COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


def drawn_rows(
    count: int, seed: int, size: tuple[int, int]
) -> Iterator[tuple[dict[str, object], DrawnLesion]]:
    """`count` rows of the metadata table, each with its drawn photograph; a lesion's photographs follow each other."""
    rng = np.random.default_rng(seed)
    lesions = max(min(count, len(HAM10000_CLASSES)), round(count / IMAGES_PER_LESION))
    classes = [
        dx for _ in range(0, lesions, len(HAM10000_CLASSES)) for dx in rng.permutation(HAM10000_CLASSES)
    ]
    photographs = 1 + np.bincount(rng.integers(lesions, size=count - lesions), minlength=lesions)
    number = 0
    for lesion in range(lesions):
        lesion_seed = int(rng.integers(2**32))
        person = {
            "age": float(rng.integers(3, 18) * 5),
            "sex": str(rng.choice(["female", "male"])),
            "localization": str(rng.choice(LOCALIZATIONS)),
        }
        for photograph in range(photographs[lesion]):
            number += 1
            dx = str(classes[lesion])
            identity = {"lesion_id": f"lesion_{lesion + 1:07d}", "image_id": f"drawn_{number:07d}"}
            drawn = draw_lesion(lesion_seed, dx, size, photograph=photograph)
            yield {**identity, "dx": dx, "dx_type": "drawn", **person}, drawn
