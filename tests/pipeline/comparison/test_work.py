"""A comparison tells its trainings beforehand; a quick one is shorter."""

import pandas as pd

from pipeline.comparison.config import ComparisonConfig
from pipeline.comparison.work import work_text


def test_the_trainings_are_counted() -> None:
    rows = [(f"i{number}", f"l{number}", "nv" if number % 2 else "mel", "m.png") for number in range(1000)]
    catalog = pd.DataFrame(rows, columns=["image_id", "lesion_id", "dx", "mask_path"])
    whole = work_text(catalog, ComparisonConfig(arms=("full", "crop"), seeds=3), cores=2)
    assert "3 trainings of a segmentation and 6 trainings of a classifier" in whole
    quick = work_text(catalog, ComparisonConfig.for_quick(arms=("full", "crop")), cores=2)
    assert "2 trainings of a segmentation and 2 passes of a frozen encoder" in quick
    without = work_text(catalog.assign(mask_path=None), ComparisonConfig(arms=("full", "crop")), cores=2)
    assert "0 trainings of a segmentation" in without
