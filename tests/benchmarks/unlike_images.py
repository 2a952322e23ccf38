"""How well the familiarity of `classification.ood` tells dermoscopy from images that are none.

The images of other kinds are scikit-image's sample photographs and crops of them, noise, drawn shapes, text, plain
colours, and plain skin: its tones with grain and shading. For each kind: the AUROC against validation images of the
first DATASET, of the confidence, of the two signs that make up the familiarity, and of the familiarity; and the part of
the images that get the note "unlike the training images". Further datasets are dermoscopy, too, and should not get it.

Run: python tests/benchmarks/unlike_images.py DATASET [DATASET...] [--bundle BUNDLE]
"""

import argparse
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from skimage import data as samples
from sklearn.metrics import roc_auc_score

from classification.ood import unevenness
from data.datasets.catalog import load_dataset
from data.images import read_image
from pipeline import LesionPipeline
from pipeline.evaluation.selection import select_split

PHOTOGRAPHS = (
    "astronaut", "camera", "coffee", "chelsea", "rocket", "coins", "page", "text", "clock", "moon", "brick", "grass",
    "gravel", "immunohistochemistry", "hubble_deep_field", "retina", "cell", "colorwheel",
)  # fmt: skip
DERMOSCOPIC_IMAGES, SIZE = 400, (300, 400, 3)
PALE, DARK = np.array([250, 220, 200]), np.array([90, 55, 40])
COLUMNS = ("confidence", "energy", "unevenness", "familiarity", "noted")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--bundle")
    chosen = parser.parse_args()
    pipeline = LesionPipeline.load(chosen.bundle)
    if pipeline.bundle.ood is None:
        parser.error(f"bundle {pipeline.bundle.name} knows no familiarity; export its runs again")
    familiar, *others = [scores(pipeline, dermoscopy(pipeline, dataset)) for dataset in chosen.datasets]
    rng = np.random.default_rng(0)
    kinds = (photographs, noise, shapes, text, plain, skin)
    print(f"{'':16s}  images  " + "  ".join(COLUMNS))
    print(f"{'dermoscopy':16s}  {len(familiar):6d}  {familiar[:, -1].mean():{len('  '.join(COLUMNS))}.3f}")
    for name, found in zip(chosen.datasets[1:], others, strict=True):
        show(name.rstrip("/").split("/")[-1], familiar, found)
    for draw in kinds:
        show(draw.__name__, familiar, scores(pipeline, draw(rng)))


def show(name: str, familiar: np.ndarray, strange: np.ndarray) -> None:
    labels = np.repeat([1, 0], [len(familiar), len(strange)])
    figures = [
        roc_auc_score(labels, np.append(familiar[:, k], strange[:, k])) for k in range(len(COLUMNS) - 1)
    ]
    figures.append(strange[:, -1].mean())
    row = "  ".join(f"{figure:{len(title)}.3f}" for figure, title in zip(figures, COLUMNS, strict=True))
    print(f"{name:16s}  {len(strange):6d}  {row}")


def dermoscopy(pipeline: LesionPipeline, dataset: str) -> Iterator[np.ndarray]:
    known = select_split(load_dataset(dataset), pipeline.bundle, "validation").catalog
    yield from map(
        read_image, known["image_path"].sample(min(DERMOSCOPIC_IMAGES, len(known)), random_state=0)
    )


def scores(pipeline: LesionPipeline, images: Iterable[np.ndarray]) -> np.ndarray:
    """`COLUMNS` of every image: scores that are the larger the more familiar it is, and 1 where it gets the note."""
    known = pipeline.bundle.ood
    rows = []
    for image in images:
        prediction = pipeline.predict(image)
        places = known.unevenness(unevenness(prediction.activation_map))
        noted = prediction.ood_score < known.threshold
        rows.append(
            (prediction.confidence, prediction.ood_score - places, places, prediction.ood_score, noted)
        )
    return np.array(rows, float)


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


def skin(rng: np.random.Generator) -> Iterator[np.ndarray]:
    for _ in range(40):
        tone = PALE + rng.random() * (DARK - PALE)
        grain = rng.normal(0, rng.uniform(0, 8), SIZE)
        shading = np.linspace(1, rng.uniform(0.7, 1), SIZE[1])[None, :, None]
        yield np.clip((tone + grain) * shading, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
