"""A subset of a dataset for a faster answer, drawn by lesion."""

import numpy as np
import pandas as pd


def limited(catalog: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """At most so many labelled images: whole lesions, drawn at random from every class in proportion.

    Parameters
    ----------
    catalog : DataFrame with `image_id`, `lesion_id` and `dx`
    most : int
    seed : int
    """
    labelled = catalog[catalog["dx"].notna()]
    lesions = labelled.drop_duplicates("lesion_id")[["lesion_id", "dx"]].sample(frac=1, random_state=seed)
    of_class = lesions.groupby("dx")["lesion_id"]
    # Each class is spread evenly over 0..1, so that any first part of the order holds the same share of all.
    order = lesions.assign(place=(of_class.cumcount() + 0.5) / of_class.transform("size")).sort_values(
        "place"
    )
    images = labelled.groupby("lesion_id").size().reindex(order["lesion_id"]).cumsum()
    chosen = images.index[np.asarray(images) <= most]
    return labelled[labelled["lesion_id"].isin(chosen)].reset_index(drop=True)
