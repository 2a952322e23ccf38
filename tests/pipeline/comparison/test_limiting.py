"""A smaller dataset keeps whole lesions and the classes' shares."""

import pandas as pd

from pipeline.comparison.limiting import limited


def test_a_limited_dataset_has_whole_lesions_of_every_class() -> None:
    catalog = pd.DataFrame({
        "image_id": [f"image{number}" for number in range(200)],
        "lesion_id": [f"lesion{number // 2}" for number in range(200)],
        "dx": ["nv"] * 160 + ["mel"] * 40,
    })  # fmt: skip
    small = limited(catalog, 50, seed=0)
    assert len(small) == 50
    assert (small.groupby("lesion_id").size() == 2).all()
    assert small["dx"].value_counts().to_dict() == {"nv": 40, "mel": 10}
    assert set(limited(catalog, 50, seed=1)["image_id"]) != set(small["image_id"])
    assert limited(catalog, 500, seed=0)["image_id"].tolist() == catalog["image_id"].tolist()
