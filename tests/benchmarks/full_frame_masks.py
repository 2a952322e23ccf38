"""Full frames of HAM10000 with masks that exist for the centre squares only, for the training of a U-Net.

A mask that does not reach the square's left or right edge is the whole frame's with skin on both sides; where it does,
the square itself is kept. The split gets as many HAM10000 images of train and of validation as asked for, drawn by the
seed, and all images of the other sources that SPLITS lists.

Run: python tests/benchmarks/full_frame_masks.py SQUARES FRAMES SPLITS OUTPUT [--train N] [--validation N]
[--other DIR...]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from data.datasets.catalog import load_dataset
from data.images import image_size, read_mask
from data.splits import read_splits, write_splits

EDGE = 3  # pixels of the square's mask at its left and right edge


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("squares", "frames", "splits", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--train", type=int, default=3000)
    parser.add_argument("--validation", type=int, default=300)
    parser.add_argument("--other", type=Path, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    splits = read_splits(chosen.splits)
    squares = (
        load_dataset(chosen.squares)
        .drop(columns="split", errors="ignore")
        .merge(splits[["image_id", "split"]], on="image_id")
    )
    frames = load_dataset(chosen.frames).set_index("image_id")["image_path"]
    drawn = pd.concat(
        squares[squares["split"] == name].sample(count, random_state=chosen.seed)
        for name, count in (("train", chosen.train), ("validation", chosen.validation))
    )
    for folder in ("images", "masks"):
        (chosen.output / folder).mkdir(parents=True)
    whole = sum(write(row, frames[row.image_id], chosen.output) for row in drawn.itertuples())
    others = pd.concat([load_dataset(folder) for folder in chosen.other]) if chosen.other else squares.head(0)
    rows = splits[splits["image_id"].isin([*drawn["image_id"], *others["image_id"]])]
    write_splits(rows, chosen.output.with_suffix(".csv"))
    print(
        f"{chosen.output}: {whole} of {len(drawn)} as full frames; {rows['split'].value_counts().to_dict()}"
    )


def write(row, frame: str, output: Path) -> bool:
    """Link the frame, or the square where the lesion leaves it, and write its mask; tell whether it is the frame."""
    mask = read_mask(row.mask_path)
    whole = not (mask[:, :EDGE].any() or mask[:, -EDGE:].any())
    image = Path(frame if whole else row.image_path).resolve()
    (output / "images" / f"{row.image_id}{image.suffix}").symlink_to(image)
    if whole:
        height, width = image_size(str(image))
        square = (
            cv2.resize(mask.view(np.uint8) * 255, (height, height), interpolation=cv2.INTER_LINEAR) >= 128
        )
        mask = np.zeros((height, width), bool)
        left = (width - height) // 2
        mask[:, left : left + height] = square
    path = output / "masks" / f"{row.image_id}_segmentation.png"
    assert cv2.imwrite(str(path), mask.view(np.uint8) * 255)
    return whole


if __name__ == "__main__":
    main()
