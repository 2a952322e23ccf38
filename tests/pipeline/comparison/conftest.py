"""A comparison on drawn logits: forty lesions, of which the crop arm names more than the full one."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pipeline.comparison.analysis import Outcomes, with_averages
from pipeline.comparison.arms import chosen_arms

CLASSES = ("bcc", "mel", "nv")
SIDE = 60


@pytest.fixture(scope="session")
def drawn_images(tmp_path_factory) -> pd.DataFrame:
    """Eighty images of forty lesions as files, dark discs on pale skin, with the masks that were found in them."""
    folder: Path = tmp_path_factory.mktemp("discs")
    rows = []
    for number in range(80):
        radius = 6 + number // 4
        mask = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (30, 30), radius, 255, cv2.FILLED)
        files = [str(folder / f"{number}{ending}.png") for ending in ("", "_found")]
        cv2.imwrite(files[0], np.where(mask[..., None] > 0, np.uint8(90), np.uint8(220)).repeat(3, axis=2))
        cv2.imwrite(files[1], mask)
        rows.append({
            "image_id": f"image{number:02}", "lesion_id": f"lesion{number // 2:02}",
            "dx": CLASSES[(number // 2) % 3], "image_path": files[0], "found_path": files[1],
            "found": True, "area": float((mask > 0).mean()), "jaccard": 0.5 + number / 200, "seen": False,
        })  # fmt: skip
    return pd.DataFrame(rows)


def drawn_logits(labels: np.ndarray, right: float, seed: int, seeds: int = 2) -> np.ndarray:
    """Logits (seeds, N, C) whose highest is that of the label with the chance `right`."""
    rng = np.random.default_rng(seed)
    said = np.where(rng.random((seeds, len(labels))) < right, labels, (labels + 1) % len(CLASSES))
    return rng.normal(0, 0.1, (seeds, len(labels), len(CLASSES))) + 2 * np.eye(len(CLASSES))[said]


@pytest.fixture(scope="session")
def arms():
    return chosen_arms(["crop", "centre-crop", "both"])


@pytest.fixture(scope="session")
def outcomes(drawn_images, arms) -> Outcomes:
    """The crop names nine of ten images rightly, the others half of them; in ink the full image names none."""
    labels = drawn_images["dx"].map(CLASSES.index).to_numpy()
    chances = {"full": 0.5, "crop": 0.9, "centre-crop": 0.5}
    logits = {arm: drawn_logits(labels, right, seed) for seed, (arm, right) in enumerate(chances.items())}
    in_ink = logits | {"full": drawn_logits(labels, 0.0, 9)}
    return Outcomes.from_logits(
        CLASSES,
        (labels, with_averages(logits, arms)),
        labels,
        drawn_images["lesion_id"].to_numpy(),
        {"test": with_averages(logits, arms), "ink": with_averages(in_ink, arms)},
        {"test": drawn_images, "ink": drawn_images},
        resamples=300,
        seed=0,
    )
