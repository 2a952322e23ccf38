"""How far the prediction of a large JPEG file is from that of its own pixels as an array.

    python tests/benchmarks/reduced_reading.py [COUNT]

Draws lesions as photographs of 2 to 24 megapixels, predicts each by its file, which is read reduced, and by the array
that the file decodes to in full, and prints the largest difference in a probability, how many differ in diagnosis or
notes, and the difference in the box.
"""

import io
import sys

import numpy as np
from PIL import Image

from data.drawing.dataset import draw_lesion
from data.images import read_image
from pipeline import LesionPipeline

SIZES = ((2400, 3200), (3000, 4000), (4000, 6000), (6120, 8160))
CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def main(count: int) -> None:
    pipeline = LesionPipeline.load()
    worst, diagnoses, notes, boxes = [], 0, 0, 0
    for number in range(count):
        height, width = SIZES[number % len(SIZES)]
        drawn = draw_lesion(number, CLASSES[number % len(CLASSES)])
        picture = Image.fromarray(drawn.image).resize((width, height), Image.Resampling.BICUBIC)
        grain = np.random.default_rng(number).normal(0, 4, (height, width, 1))
        buffer = io.BytesIO()
        noisy = np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(buffer, "JPEG", quality=90)
        content = buffer.getvalue()
        by_file, by_array = pipeline.predict(content), pipeline.predict(read_image(content))
        difference = max(
            abs(by_file.probabilities[name] - by_array.probabilities[name]) for name in by_file.probabilities
        )
        worst.append(difference)
        diagnoses += by_file.diagnosis != by_array.diagnosis
        notes += by_file.notes != by_array.notes
        shift = max(
            abs(a - b) for a, b in zip(by_file.box or (0,) * 4, by_array.box or (0,) * 4, strict=True)
        )
        boxes = max(boxes, shift)
        print(f"{width} x {height}: {difference:.4f}, box differs by {shift}", file=sys.stderr)
    print(
        f"{count} files: a probability differs by at most {max(worst):.4f}, in the median by {np.median(worst):.4f}; "
        f"{diagnoses} diagnoses, {notes} notes differ; boxes by at most {boxes} pixels"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 35)
