"""How well a bundle tells dermoscopy from images that are none.

The images of other kinds are scikit-image's and scikit-learn's sample photographs and crops of them, noise, drawn
shapes, text, plain colours, drawn skin (its tones with grain and shading), and real skin: corners of the first
DATASET's validation images, far from the lesion that the bundle finds. For each kind: the AUROC against
validation images of the first DATASET, of the confidence and of the OOD score, and the part of the images that get the
note "unlike the training images" or in which no lesion is found. Further datasets are dermoscopy, too; no note there.

Run: python tests/benchmarks/unlike_images.py DATASET [DATASET...] [--bundle BUNDLE]
"""

import argparse
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from skimage import data as samples
from sklearn.datasets import load_sample_images
from sklearn.metrics import roc_auc_score

from data.datasets.catalog import load_dataset
from data.images import read_image
from pipeline import LesionPipeline
from pipeline.evaluation.selection import select_split
from pipeline.export.bare_skin import skin_corners
from pipeline.prediction.predictor import NO_LESION_TO_CROP, UNLIKE_TRAINING

PHOTOGRAPHS = (
    "astronaut", "camera", "coffee", "chelsea", "rocket", "coins", "page", "text", "clock", "moon", "brick", "grass",
    "gravel", "immunohistochemistry", "hubble_deep_field", "retina", "cell", "colorwheel",
)  # fmt: skip
DERMOSCOPIC_IMAGES, SKIN_CORNERS, SIZE = 400, 200, (300, 400, 3)
PALE, DARK = np.array([250, 220, 200]), np.array([90, 55, 40])
COLUMNS = ("confidence", "OOD score", "noted")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--bundle")
    chosen = parser.parse_args()
    pipeline = LesionPipeline.load(chosen.bundle)
    if pipeline.bundle.ood is None and pipeline.bundle.appearance is None:
        parser.error(f"bundle {pipeline.bundle.name} knows no OOD score; export its runs again")
    familiar, *others = [scores(pipeline, dermoscopy(pipeline, dataset)) for dataset in chosen.datasets]
    rng = np.random.default_rng(0)
    kinds = (photographs, noise, shapes, text, plain, skin)
    print(f"{'':16s}  images  " + "  ".join(COLUMNS))
    print(f"{'dermoscopy':16s}  {len(familiar):6d}  {familiar[:, -1].mean():{len('  '.join(COLUMNS))}.3f}")
    for name, found in zip(chosen.datasets[1:], others, strict=True):
        show(name.rstrip("/").split("/")[-1], familiar, found)
    for draw in kinds:
        show(draw.__name__, familiar, scores(pipeline, draw(rng)))
    show("real skin", familiar, scores(pipeline, real_skin(pipeline, chosen.datasets[0])))


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
    """`COLUMNS` of every image: scores that are the larger the more usual it is, and 1 where it gets a note."""
    predictions = map(pipeline.predict, images)
    return np.array(
        [
            (
                prediction.confidence,
                prediction.ood_score,
                bool({UNLIKE_TRAINING, NO_LESION_TO_CROP} & {*prediction.notes}),
            )
            for prediction in predictions
        ],
        float,
    )


def real_skin(pipeline: LesionPipeline, dataset: str) -> Iterator[np.ndarray]:
    known = select_split(load_dataset(dataset), pipeline.bundle, "validation").catalog
    yield from skin_corners(pipeline, list(known["image_path"]), SKIN_CORNERS)


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

    for picture in load_sample_images().images:
        for _ in range(20):
            side = int(rng.integers(100, 400))
            y, x = (rng.integers(0, length - side + 1) for length in picture.shape[:2])
            yield np.ascontiguousarray(picture[y : y + side, x : x + side])


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
