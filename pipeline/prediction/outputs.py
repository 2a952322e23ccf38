"""A folder of results: tables, masks, crops and overlays."""

import csv
import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np

from data.files import replacing
from pipeline.bundle.loading import Bundle, BundleError
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import Prediction
from pipeline.prediction.reading import Source, as_pixels
from pipeline.reports.pictures import encoded
from segmentation.cropping import crop

# The columns of the ISIC 2018 challenge's task 3 are the classes of HAM10000 in this order.
ISIC_CLASSES = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")

JPEG_QUALITY = 95
MOST_UNWRITTEN = 8


class PredictionFolder:
    """Writes predictions to a folder as they come, and keeps none of them. Made by `PredictionFolder.open`."""

    def __init__(
        self, folder: Path, classes: Sequence[str], table: Any, isic_table: Any, pool: ThreadPoolExecutor
    ) -> None:
        self._folder = folder
        self._classes = tuple(classes)
        self._table = table
        self._isic_table = isic_table
        self._pool = pool
        self._names = FileNames()
        self._unwritten: deque[Future[None]] = deque()

    @classmethod
    @contextmanager
    def open(cls, folder: str | Path, classes: Sequence[str], isic: bool = False) -> Iterator[Self]:
        """Yield the writer for a `with` block.

        Every image gets `masks/<name>.png`, `overlays/<name>.jpg` and, where a lesion was found,
        `crops/<name>.jpg`; the name is the file's stem, or a longer one where another image has taken that.
        `predictions.csv` appears, complete, when the block ends without an error. With `isic`, the formats of the
        ISIC challenge's scorer are added: `task1/<name>_segmentation.png` and `task3.csv`.

        Parameters
        ----------
        folder : str or Path
        classes : sequence of str
            The bundle's classes. With `isic`, only those of `ISIC_CLASSES`.
        isic : bool

        Raises
        ------
        OSError
            If the folder can't be written to; when pictures can't, by `add` or at the end of the block.
        ImageError
            If an image can't be read any more, by `add` or at the end of the block.
        """
        folder = Path(folder)
        with ExitStack() as stack:
            table = stack.enter_context(_csv_writer(folder / "predictions.csv"))
            table.writerow(table_columns(classes))
            isic_table = stack.enter_context(_csv_writer(folder / "task3.csv")) if isic else None
            if isic_table:
                isic_table.writerow(("image", *(name.upper() for name in ISIC_CLASSES)))
            pool = stack.enter_context(ThreadPoolExecutor(2, thread_name_prefix="write"))
            writer = cls(folder, classes, table, isic_table, pool)
            yield writer
            writer._wait(down_to=0)

    def add(self, source: Path, image: Source, prediction: Prediction) -> str:
        """Write the results of one image; pictures are read, drawn and encoded in the background.

        Parameters
        ----------
        source : Path
            What the image is called.
        image : str, Path, bytes or uint8 array (H, W, 3)
            The image in full, as `LesionPipeline.predict` takes it.
        prediction : Prediction of this image

        Returns
        -------
        The name under which the image's files lie.
        """
        name = self._names.choose(source)
        self._table.writerow(table_row(source, prediction, self._classes))
        if self._isic_table:
            self._isic_table.writerow(isic_row(name, prediction))
        self._unwritten.append(self._pool.submit(self._write_pictures, name, image, prediction))
        self._wait(down_to=MOST_UNWRITTEN)
        return name

    def _wait(self, down_to: int) -> None:
        while len(self._unwritten) > down_to:
            self._unwritten.popleft().result()

    def _write_pictures(self, name: str, image: Source, prediction: Prediction) -> None:
        pixels = as_pixels(image)
        mask = prediction.mask.view(np.uint8) * 255
        _write_picture(self._folder / "masks" / f"{name}.png", mask)
        if self._isic_table:
            _write_picture(self._folder / "task1" / f"{name}_segmentation.png", mask)
        if prediction.box:
            _write_picture(self._folder / "crops" / f"{name}.jpg", crop(pixels, prediction.box))
        _write_picture(self._folder / "overlays" / f"{name}.jpg", draw_overlay(pixels, prediction))


def check_isic_classes(bundle: Bundle) -> None:
    """Raise `BundleError` where the bundle tells classes apart that the challenge's scorer has no column for."""
    if others := [name for name in bundle.classes if name not in ISIC_CLASSES]:
        raise BundleError(
            f"{bundle.folder}: knows classes without a column in the ISIC 2018 challenge ({', '.join(others)}); "
            "leave out --isic, or give a bundle that was trained on the challenge's classes."
        )


class FileNames:
    """Gives each image a name of its own, for the files that are written for it."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def choose(self, source: Path) -> str:
        """The stem (`1`); where that is taken, with the folders above it (`b_1`), and then with a number."""
        name = next(name for name in _names(source) if name.casefold() not in self._taken)
        self._taken.add(name.casefold())  # some file systems do not tell upper from lower case
        return name


def _names(source: Path) -> Iterator[str]:
    folders = [part for part in source.parent.parts if part not in {source.anchor, ".", ".."}]
    for depth in range(len(folders) + 1):
        yield "_".join((*folders[len(folders) - depth :], source.stem))
    yield from (f"{source.stem}_{number}" for number in count(2))


def table_columns(classes: Sequence[str]) -> tuple[str, ...]:
    """The columns of `predictions.csv`: each once, because the class "malignant" is the malignant probability."""
    head, tail = ("image", "diagnosis", "confidence", "malignant"), ("lesion_fraction", "view", "notes")
    return (*head, *_class_columns(classes).values(), "x0", "y0", "x1", "y1", *tail)


def _class_columns(classes: Sequence[str]) -> dict[str, str]:
    """Class -> the name of its column, which no other column has; a class "malignant" needs none of its own."""
    taken = {"image", "diagnosis", "confidence", "x0", "y0", "x1", "y1", "lesion_fraction", "view", "notes"}
    return {name: f"class {name}" if name in taken else name for name in classes if name != "malignant"}


def table_row(source: Path, prediction: Prediction, classes: Sequence[str]) -> list[object]:
    """The values of `table_columns`; empty where there is no box, or no malignancy to tell."""
    return [
        source,
        prediction.diagnosis,
        f"{prediction.confidence:.6f}",
        "" if math.isnan(prediction.malignant) else f"{prediction.malignant:.6f}",
        *(f"{prediction.probabilities[name]:.6f}" for name in _class_columns(classes)),
        *(prediction.box or ("",) * 4),
        f"{prediction.lesion_fraction:.6f}",
        prediction.view,
        "; ".join(prediction.notes),
    ]


def isic_row(name: str, prediction: Prediction) -> list[str]:
    """The image's name and its probabilities in the order of `ISIC_CLASSES`; 0 for a class that is not told.

    No digit is lost, so that the scorer ranks images and classes as they are ranked here.
    """
    return [name, *(repr(prediction.probabilities.get(diagnosis, 0.0)) for diagnosis in ISIC_CLASSES)]


@contextmanager
def _csv_writer(path: Path) -> Iterator[Any]:
    """A writer to a file that appears when the block ends without an error."""
    with (
        replacing(path) as temporary,
        # File names need not be UTF-8: what is not goes out as it came in.
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        yield csv.writer(file, lineterminator="\n")


def _write_picture(path: Path, picture: np.ndarray) -> None:
    """A grey (H, W) or RGB (H, W, 3) uint8 picture in the format of the path's suffix."""
    with replacing(path) as temporary:
        temporary.write_bytes(encoded(picture, path.suffix, JPEG_QUALITY))
