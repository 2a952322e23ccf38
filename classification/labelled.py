"""The images that a classifier can learn from or be compared on."""

import pandas as pd

from classification.config import ClassificationConfig
from data.datasets.catalog import DatasetError
from data.datasets.diagnoses import malignancy


def labelled_images(catalog: pd.DataFrame, config: ClassificationConfig) -> pd.DataFrame:
    """The catalog's images that a training learns from, with the classes that it tells apart as `dx`.

    Raises
    ------
    DatasetError : fewer than two classes are left.
    """
    wanted = catalog["dx"].notna() if config.only is None else catalog["dx"].isin(config.only)
    labelled = catalog[wanted].reset_index(drop=True)
    if config.grouping == "malignancy":
        labelled["dx"] = labelled["dx"].map(lambda code: malignancy(code, config.malignant))
    if labelled["dx"].nunique() < 2:
        raise DatasetError(
            "the dataset has fewer than two classes among its diagnoses; there is nothing to tell apart."
        )
    return labelled
