"""What a dataset holds, and all that is wrong with it."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from data.datasets.catalog import RecognisedDataset, build_catalog, recognise_dataset
from data.datasets.diagnoses import diagnosis_name
from data.datasets.faults import FAULT_MENDS, SEVERAL_FILES
from data.datasets.finding import is_foreign_picture
from data.datasets.labels import is_known_label, known_label_like
from data.images import ImageError, MaskError, read_image, read_mask
from data.progress import Progress, unwatched

MENDS = {
    "listed image without a file": "add the image files, or remove the rows",
    "file without a row": "add a row for the image; until then it has no diagnosis",
    "missing label": "fill in the diagnosis; until then classification leaves the image out",
    "unknown label": "use a code such as nv or mel; otherwise it is a class of your own, counted as not malignant",
    "duplicate id": "keep one row an image; the first is used",
    "duplicate file": "keep one file an image; the first is used",
    "conflicting diagnosis inside one lesion": "give all images of a lesion the same diagnosis",
    "unreadable image": "copy it again from where it came, or remove it",
    **FAULT_MENDS,
    "picture in a format that is not read": "convert it to JPEG, PNG, BMP, TIFF or WebP, or remove it",
    "image without a mask": "add the mask; until then segmentation leaves the image out",
    "mask without an image": "add the image, or remove the mask",
    "unreadable mask": "copy it again from where it came, or remove it",
    "mask that is not black and white": "save it with the lesion white and the skin black; until then it is refused",
    "mask of another size than its image": "use the mask that was made for this image file",
    "empty mask": "draw the lesion, or remove the mask; segmentation would learn that there is none",
    "mask that covers the whole image": "draw the lesion's border, or remove the mask",
    "mask that looks inverted": "save it with the lesion white and the skin black",
}
_CONTENT_KINDS = (
    *("unreadable image", "unreadable mask", "mask that is not black and white"),
    *("mask of another size than its image", "empty mask", "mask that covers the whole image"),
    "mask that looks inverted",
)
MOST_EXAMPLES = 5


@dataclass(frozen=True)
class Problem:
    """One kind of problem: how often it occurs, up to five of the places, and the mend."""

    kind: str
    count: int
    examples: tuple[str, ...]
    mend: str


@dataclass(frozen=True)
class ClassCount:
    """How many images and lesions of one class there are."""

    code: str
    name: str
    images: int
    lesions: int


@dataclass(frozen=True)
class DatasetCheck:
    """What was recognised in a dataset's folder.

    Attributes
    ----------
    path, layout : str
        The folder, and the layout that it fits.
    images, masks, labels : int
        Images with a file, and how many of them have a mask and a diagnosis.
    lesions : int
        Different lesions; an image whose lesion is not named counts as one.
    classes : tuple of ClassCount
        In the order of their codes.
    problems : tuple of Problem
        Empty if nothing is wrong.
    own_split : dict
        Images of train, validation and test, where folders of such names hold them.
    lesions_named : bool
        Whether the dataset says of any image which lesion it shows.
    """

    path: str
    layout: str
    images: int
    masks: int
    labels: int
    lesions: int
    classes: tuple[ClassCount, ...]
    problems: tuple[Problem, ...]
    own_split: dict[str, int] = field(default_factory=dict)
    lesions_named: bool = True

    def to_dict(self) -> dict[str, object]:
        """Everything as JSON can hold it."""
        return asdict(self)

    def to_text(self) -> str:
        """A summary for a terminal, several lines long."""
        lines = [f"{self.path}: {self.layout}", ""]
        for name in ("images", "masks", "labels", "lesions"):
            lines.append(f"{name:10}{getattr(self, name):>8}")
        if self.classes:
            width = max(10, *(len(row.code) + 2 for row in self.classes))
            lines += ["", f"{'class':{width}}{'images':>8}{'lesions':>9}"]
            lines += [
                f"{row.code:{width}}{row.images:>8}{row.lesions:>9}  {row.name}" for row in self.classes
            ]
        if self.own_split:
            counts = ", ".join(f"{name} {count}" for name, count in self.own_split.items())
            lines += ["", f"split by its folders: {counts}"]
        if not self.lesions_named:
            lines += [
                "",
                "no lesion is named: each image counts as one; where lesions have several, add a column lesion_id",
            ]
        lines += ["", "problems" if self.problems else "no problems"]
        for problem in self.problems:
            lines += [f"- {problem.kind}: {problem.count}"]
            lines += [f"    {example}" for example in problem.examples]
            lines += ["    ..."] * (problem.count > len(problem.examples))
            lines += [f"  mend: {problem.mend}"]
        return "\n".join(lines)


def check_dataset(path: str | Path, progress: Progress = unwatched) -> DatasetCheck:
    """Recognise a dataset, read every image and every mask whole, and collect all problems.

    Parameters
    ----------
    path : str or Path
        The folder of the dataset, or a folder that holds it.
    progress : callable, optional
        Called after every image with the number of images read and of all images.

    Raises
    ------
    DatasetError
        If the folder fits no layout or a table in it can't be read.
    """
    dataset = recognise_dataset(path)
    catalog = build_catalog(dataset)
    places = _listing_problems(dataset, catalog) | _content_problems(catalog, progress)
    for fault in dataset.faults:
        if fault.kind == SEVERAL_FILES:  # a duplicate file
            continue
        places.setdefault(fault.kind, []).append(fault.place)
    return DatasetCheck(
        path=str(path),
        layout=dataset.layout,
        images=len(catalog),
        masks=int(catalog["mask_path"].notna().sum()),
        labels=int(catalog["dx"].notna().sum()),
        lesions=int(catalog["lesion_id"].nunique()),
        classes=_count_classes(catalog),
        own_split={str(name): int(count) for name, count in catalog["own_split"].value_counts().items()},
        lesions_named=bool((catalog["lesion_id"] != catalog["image_id"]).any()),
        problems=tuple(
            Problem(kind, len(places[kind]), tuple(places[kind][:MOST_EXAMPLES]), mend)
            for kind, mend in MENDS.items()
            if places.get(kind)
        ),
    )


def _count_classes(catalog: pd.DataFrame) -> tuple[ClassCount, ...]:
    lesions = catalog.groupby("dx")["lesion_id"].agg(["size", "nunique"])
    return tuple(
        ClassCount(str(code), diagnosis_name(str(code)), int(size), int(unique))
        for code, size, unique in lesions.itertuples()
    )


def _unknown_label(label: str, rows: pd.DataFrame) -> str:
    likely = known_label_like(label)
    question = f"; is {likely} meant?" if likely else ""
    return f"{label} ({(rows['dx'] == label).sum()} images{question})"


def _listing_problems(dataset: RecognisedDataset, catalog: pd.DataFrame) -> dict[str, list[str]]:
    """What shows in names and tables alone: the kind of problem -> where it occurs."""
    rows = dataset.rows
    listed = catalog["image_id"].str.casefold().isin(rows["key"])
    unknown = [label for label in rows["dx"].dropna().unique() if not is_known_label(label)]
    return {
        "listed image without a file": list(
            rows.loc[~rows["key"].isin(catalog["image_id"].str.casefold()), "image_id"].unique()
        ),
        "picture in a format that is not read": _texts(filter(is_foreign_picture, dataset.files.others)),
        "file without a row": list(catalog.loc[~listed, "image_path"]),
        "missing label": list(rows.loc[_gaps(rows["dx"]), "image_id"]),
        "unknown label": [_unknown_label(label, rows) for label in sorted(unknown)],
        "duplicate id": list(rows.loc[rows.duplicated("key"), "image_id"].unique()),
        "conflicting diagnosis inside one lesion": _conflicts(catalog),
        "image without a mask": list(catalog.loc[_gaps(catalog["mask_path"]), "image_path"]),
        **_unused_files(dataset, catalog),
    }


def _gaps(column: pd.Series) -> pd.Series:
    """Where a value is missing that others have; a column that is empty altogether has no gaps."""
    return column.isna() & bool(column.notna().any())


def _conflicts(catalog: pd.DataFrame) -> list[str]:
    labels = catalog.dropna(subset="dx").groupby("lesion_id")["dx"].unique()
    return [f"{lesion}: {', '.join(sorted(codes))}" for lesion, codes in labels.items() if len(codes) > 1]


def _unused_files(dataset: RecognisedDataset, catalog: pd.DataFrame) -> dict[str, list[str]]:
    """Files that the catalog does not name: further copies, and masks of images that are not there."""
    used = set(catalog["image_path"]).union(catalog["mask_path"].dropna())
    images = [path for path in dataset.files.images.paths if str(path) not in used]
    masks = [path for path in dataset.files.masks.paths if str(path) not in used]
    files = dataset.files
    orphans = [path for path in masks if files.images.find(files.masks.stem(path)) is None]
    copies = [path for path in (*images, *masks) if path not in orphans]
    return {"duplicate file": _texts(copies), "mask without an image": _texts(orphans)}


def _content_problems(catalog: pd.DataFrame, progress: Progress) -> dict[str, list[str]]:
    """What shows only on reading: the kind of problem -> where it occurs."""
    places: dict[str, list[str]] = {kind: [] for kind in _CONTENT_KINDS}
    paths = zip(catalog["image_path"], catalog["mask_path"], strict=True)
    for done, (image_path, mask_path) in enumerate(paths, start=1):
        image = _read(read_image, image_path, places, "unreadable image")
        mask = _read(read_mask, mask_path, places, "unreadable mask")
        if mask is not None and (kind := _doubtful_kind(mask)):
            places[kind].append(str(mask_path))
        if image is not None and mask is not None and image.shape[:2] != mask.shape:
            sizes = f"{_size_text(mask.shape)} pixels, its image {_size_text(image.shape)}"
            places["mask of another size than its image"].append(f"{mask_path}: {sizes}")
        progress(done, len(catalog))
    return places


def _read(
    reader: Callable[[str], np.ndarray], path: str | None, places: dict[str, list[str]], kind: str
) -> np.ndarray | None:
    if path is None:
        return None
    try:
        return reader(path)
    except MaskError as error:
        places["mask that is not black and white"].append(str(error))
    except ImageError as error:
        places[kind].append(str(error))
    return None


def _doubtful_kind(mask: np.ndarray) -> str | None:
    """What is odd about a mask (H, W), if anything.

    Of 12,080 masks of HAM10000 and ISIC 2018 task 1 none has lesion on most of the border and less of it in the middle.
    """
    if not mask.any():
        return "empty mask"
    if mask.all():
        return "mask that covers the whole image"
    height, width = mask.shape
    middle = mask[height // 4 : 3 * height // 4 + 1, width // 4 : 3 * width // 4 + 1]
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return "mask that looks inverted" if border.mean() > max(0.5, middle.mean()) else None


def _size_text(shape: tuple[int, ...]) -> str:
    height, width = shape[:2]
    return f"{width} x {height}"


def _texts(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]
