"""The images that a classifier can learn from or be compared on."""

import pandas as pd

from classification.config import ClassificationConfig
from data.datasets.catalog import DatasetError
from data.datasets.diagnoses import classes_of, malignancy


def labelled_images(catalog: pd.DataFrame, config: ClassificationConfig) -> pd.DataFrame:
    """The catalog's images that a training learns from, with the classes that it tells apart as `dx`.

    Raises
    ------
    DatasetError
        If a class of `only` or `malignant` has no image, or fewer than two classes are left.
    """
    for option, names in (("only", config.only or ()), ("malignant", config.malignant)):
        _check_names(option, names, catalog["dx"])
    wanted = catalog["dx"].notna() if config.only is None else catalog["dx"].isin(config.only)
    labelled = catalog[wanted].reset_index(drop=True)
    if config.grouping == "malignancy":
        labelled["dx"] = labelled["dx"].map(lambda code: malignancy(code, config.malignant))
    classes = classes_of(labelled["dx"])
    if len(classes) < 2:
        found = f"one class only, {classes[0]}" if classes else "no diagnoses"
        raise DatasetError(
            f"the dataset has {found}; add images of another class, so that there are two to tell apart."
        )
    return labelled


def _check_names(option: str, names: tuple[str, ...], diagnoses: pd.Series) -> None:
    known = classes_of(diagnoses.dropna())
    if missing := [name for name in names if name not in known]:
        raise DatasetError(
            f"--{option} names {', '.join(missing)}, of which the dataset has no image; its classes are "
            f"{', '.join(known)}."
        )
