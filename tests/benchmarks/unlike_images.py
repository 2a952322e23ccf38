"""How well scores that cost nothing at run time tell dermoscopy from images that are none.

Every score is computed from the two outputs of the shipped classifier: the confidence, the energy of the logits (Liu et
al. 2020, "Energy-based out-of-distribution detection"), and the standard deviation of the class activation map. The
AUROC is that of the validation images of DATASET against scikit-image's sample photographs and crops of them, noise,
drawn shapes, text and plain colours.

Run: python tests/benchmarks/unlike_images.py DATASET
"""

import sys
from collections.abc import Iterator

import cv2
import numpy as np
from skimage import data as samples
from sklearn.metrics import roc_auc_score

from data.datasets import load_dataset
from data.images import read_image
from pipeline import LesionPipeline
from pipeline.selection import select_split

PHOTOGRAPHS = (
    "astronaut", "camera", "coffee", "chelsea", "rocket", "coins", "page", "text", "clock", "moon", "brick", "grass",
    "gravel", "immunohistochemistry", "hubble_deep_field",
)  # fmt: skip
DERMOSCOPIC_IMAGES, SIZE = 400, (300, 400, 3)
SCORES = ("confidence", "energy", "map's deviation")


def main() -> None:
    pipeline = LesionPipeline.load()
    known = select_split(load_dataset(sys.argv[1]), pipeline.bundle, "validation").catalog
    paths = known["image_path"].sample(DERMOSCOPIC_IMAGES, random_state=0)
    familiar = np.array([scores(pipeline, read_image(path)) for path in paths])
    rng = np.random.default_rng(0)
    kinds = {"photographs": photographs, "noise": noise, "shapes": shapes, "text": text, "plain": plain}
    print(f"{'':12s}  images  " + "  ".join(SCORES))
    for name, draw in kinds.items():
        strange = np.array([scores(pipeline, image) for image in draw(rng)])
        labels = np.repeat([1, 0], [len(familiar), len(strange)])
        aurocs = [roc_auc_score(labels, np.append(familiar[:, k], strange[:, k])) for k in range(len(SCORES))]
        row = "  ".join(f"{auroc:{len(title)}.3f}" for auroc, title in zip(aurocs, SCORES, strict=True))
        print(f"{name:12s}  {len(strange):6d}  {row}")


def scores(pipeline: LesionPipeline, image: np.ndarray) -> tuple[float, float, float]:
    """The scores of one image, each the larger the more familiar the image is."""
    prediction = pipeline.predict(image)
    logits = np.log(list(prediction.probabilities.values())) * pipeline.bundle.temperature
    maps = prediction.activation_map
    # The probabilities give the logits up to a constant, and the map's mean gives them up to the head's bias.
    offset = np.mean(maps.mean(axis=(0, 1)) - logits)
    return prediction.confidence, float(np.log(np.exp(logits).sum()) + offset), float(maps.std())


def photographs(rng: np.random.Generator) -> Iterator[np.ndarray]:
    for name in PHOTOGRAPHS:
        picture = getattr(samples, name)()
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        yield np.ascontiguousarray(picture[..., :3])
        side = min(picture.shape[:2]) // 2
        for _ in range(3):
            y, x = (rng.integers(0, length - side + 1) for length in picture.shape[:2])
            yield np.ascontiguousarray(picture[y : y + side, x : x + side, :3])


def noise(rng: np.random.Generator) -> Iterator[np.ndarray]:
    for deviation in np.linspace(10, 120, 40):
        yield np.clip(rng.normal(128, deviation, SIZE), 0, 255).astype(np.uint8)


def shapes(rng: np.random.Generator) -> Iterator[np.ndarray]:
    for image in plain(rng):
        for _ in range(rng.integers(1, 6)):
            centre, colour = rng.integers(20, 300, 2).tolist(), rng.integers(0, 256, 3).tolist()
            if rng.random() < 0.5:
                cv2.circle(image, centre, int(rng.integers(10, 90)), colour, cv2.FILLED)
            else:
                corner = (np.array(centre) + rng.integers(10, 120, 2)).tolist()
                cv2.rectangle(image, centre, corner, colour, cv2.FILLED)
        yield image


def text(rng: np.random.Generator) -> Iterator[np.ndarray]:
    for _ in range(40):
        image = np.full(SIZE, 255, np.uint8)
        for y in range(30, SIZE[0], 30):
            line = "".join(rng.choice(list("abcdefghijklmnop  "), 28))
            cv2.putText(image, line, (10, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 1)
        yield image


def plain(rng: np.random.Generator) -> Iterator[np.ndarray]:
    for _ in range(40):
        yield np.full(SIZE, rng.integers(0, 256, 3), np.uint8)


if __name__ == "__main__":
    main()
