"""How often the notes on a photograph's quality are right, on drawn lesions whose flaws are known, or on photographs.

    python tests/benchmarks/quality_notes.py [--lesions 105] [--seed 1000]
    python tests/benchmarks/quality_notes.py --photographs datasets/ham10000_fullframe datasets/isic2018_task1

The photographs are those of `quality_labels.csv`: 0 without the flaw, 1 with a little of it, 2 clearly with it, told by
eye, by one person and no dermatologist, before the notes were looked at. The limits were chosen on the part "tuning";
a third of it was picked for having a note, so that it tells nothing of how often there is one. Blur was told in the
picture's own pixels, of images of which every second scored over 0.5.

Each drawn lesion is photographed without a flaw, and once with each: blurred by 0.5 to 1.2% of the shorter side, under
6 to 25 dark hairs, with strokes of a blue, violet or green marker, with white reflections.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from data.datasets.diagnoses import HAM10000_CLASSES
from data.drawing.artefacts import THICK_HAIRS, drawn, hairs
from data.drawing.brushes import draw_disc, draw_stroke
from data.drawing.dataset import draw_lesion
from data.drawing.pigments import cover
from data.quality import Limits, image_quality
from pipeline import LesionPipeline
from pipeline.prediction.outcomes import quality_notes

MARKERS = ((0.16, 0.18, 0.55), (0.33, 0.13, 0.55), (0.10, 0.40, 0.35))
SUFFIXES = (".jpg", ".webp")  # of the pictures; their masks are png
LABELS = Path(__file__).with_name("quality_labels.csv")
GRADES = {0: "without", 1: "with a little", 2: "clearly with"}
WORDS = {
    "blur": "the image is blurred",
    "hair": "hair lies over the skin",
    "ink": "there is ink on the skin",
    "glare": "the light is reflected",
}
Flaw = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def blurred(image, rng):
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.005, 0.012) * min(image.shape[:2]))


def haired(image, rng):
    dark = hairs(rng, image.shape[:2], int(rng.integers(6, 26)), width=rng.uniform(0.005, 0.009), length=0.8)
    return cover(image, 0.88 * dark, THICK_HAIRS[rng.integers(len(THICK_HAIRS))])


def inked(image, rng):
    def draw(sheet, side):
        for _ in range(int(rng.integers(1, 4))):
            start, end = rng.uniform(0, 1, (2, 2)) * sheet.shape[::-1]
            path = np.linspace(start, start + 0.4 * (end - start), 20)
            draw_stroke(sheet, path, np.full(20, rng.uniform(0.015, 0.03) * side), 0.9)

    return cover(image, 0.8 * drawn(image.shape[:2], draw), MARKERS[rng.integers(len(MARKERS))])


def glaring(image, rng):
    centres = rng.uniform(0.1, 0.9, 2) + rng.normal(0, 0.1, (int(rng.integers(4, 12)), 2))

    def draw(sheet, side):
        for centre in centres * sheet.shape[::-1]:
            draw_disc(
                sheet, centre, rng.uniform(0.006, 0.018) * side, 1.0, rng.uniform(1, 3), rng.uniform(0, 180)
            )

    return cover(image, 0.95 * drawn(image.shape[:2], draw), (1.0, 0.99, 1.0))


FLAWS: dict[str, Flaw] = {"blur": blurred, "hair": haired, "ink": inked, "glare": glaring}


def judged(seed: int) -> dict[str, dict[str, float]]:
    """Flaw, or "none" -> what is measured of a drawn lesion's photograph with it."""
    lesion = draw_lesion(seed, HAM10000_CLASSES[seed % 7], artefacts=False)
    clean = lesion.image.astype(np.float32) / 255
    images = {"none": clean}
    for number, (name, lay) in enumerate(FLAWS.items()):
        images[name] = lay(clean, np.random.default_rng([seed, number]))
    return {
        name: vars(image_quality(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8), lesion.mask))
        for name, image in images.items()
    }


def noted_photographs(folders: list[Path]) -> pd.DataFrame:
    """The labels of those photographs that the folders hold, and in `notes` what the page would note of them."""
    labels = pd.read_csv(LABELS, index_col="image")
    paths = {path.stem: path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES}
    labels = labels[labels.index.isin(paths)].copy()
    pipeline = LesionPipeline.load()
    notes = []
    for name in labels.index:
        photograph = pipeline.open(paths[name].read_bytes())
        notes.append(quality_notes(photograph, pipeline.predict(photograph).mask))
    return labels.assign(notes=notes)


def report_photographs(folders: list[Path]) -> None:
    labels = noted_photographs(folders)
    for flaw, words in WORDS.items():
        parts = [("all", labels)] if flaw == "blur" else labels.groupby("part")
        for part, rows in parts:
            known = rows.dropna(subset=[flaw])
            if known.empty:
                continue
            noted = known[flaw][known["notes"].map(lambda notes, words=words: words in notes)]
            of = ", ".join(
                f"{np.sum(noted == grade)} of {np.sum(known[flaw] == grade)} {name}"
                for grade, name in GRADES.items()
            )
            print(f"{flaw:<6} {part:<7} noted in {len(noted)} of {len(known)}: {of}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lesions", type=int, default=105)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--photographs", type=Path, nargs="+", metavar="FOLDER")
    options = parser.parse_args()
    if options.photographs:
        report_photographs(options.photographs)
        return
    found = [judged(options.seed + number) for number in range(options.lesions)]
    limits = Limits()
    print(f"{options.lesions} drawn lesions from seed {options.seed}")
    for name in FLAWS:
        limit = getattr(limits, name)
        with_flaw = np.array([each[name][name] for each in found])
        without = np.array([each[other][name] for each in found for other in each if other != name])
        print(
            f"{name:<6} limit {limit:g}: noted in {np.mean(with_flaw > limit):.0%} of {len(with_flaw)} with it, "
            f"and in {np.mean(without > limit):.1%} of {len(without)} without  "
            f"(with: 10% {np.quantile(with_flaw, 0.1):.4f}, median {np.median(with_flaw):.4f}; "
            f"without: median {np.median(without):.4f}, 95% {np.quantile(without, 0.95):.4f})"
        )


if __name__ == "__main__":
    main()
