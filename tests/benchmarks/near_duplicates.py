"""How many pairs of images of different lesions lie within a distance of perceptual hashes, and how they chain.

The threshold `NEAR_DUPLICATE_BITS` was chosen from this table and from looking at the pairs: up to about 48 bits
most are the same photograph in other colours or compression; from 56 on they are small dark spots on pale skin,
which chain into ever larger groups.

Run: python tests/benchmarks/near_duplicates.py DATASET...
"""

import sys

import numpy as np

from data.datasets.catalog import load_datasets
from data.near_duplicates import near_duplicate_pairs, perceptual_hashes
from data.splits import image_groups

BITS = range(0, 69, 4)


def main() -> None:
    catalog = load_datasets(sys.argv[1:])
    hashes = perceptual_hashes(list(catalog["image_path"]))
    lesions = catalog["lesion_id"].to_numpy(str)
    print("bits  pairs of one lesion  pairs of two lesions  largest group")
    for bits in BITS:
        first, second = near_duplicate_pairs(hashes, bits)
        same = lesions[first] == lesions[second]
        groups = image_groups(lesions, hashes, bits)
        print(f"{bits:4d}  {same.sum():19d}  {(~same).sum():20d}  {np.bincount(groups).max():13d}")


if __name__ == "__main__":
    main()
