"""Processor milliseconds of every step of a prediction on one thread, for a small and for a large photograph.

Processor time and not time by the clock, so that it can be told while other work is running.

Run: python tests/benchmarks/prediction_profile.py [BUNDLE]
"""

import io
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from data.images import read_image
from data.resizing import resize
from pipeline.benchmark.folders import example_images
from pipeline.bundle.litert import LiteRTModel
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import LesionPipeline
from segmentation.cropping import crop, lesion_box, lesion_mask

RESAMPLES = 7


def main() -> None:
    cv2.setNumThreads(1)
    pipeline = LesionPipeline.load(*sys.argv[1:2], threads=1)
    small = example_images()[0].read_bytes()
    picture = Image.fromarray(read_image(small)).resize((4000, 3000), Image.Resampling.BICUBIC)
    large = io.BytesIO()
    picture.save(large, "JPEG", quality=90)
    for name, content in (("600 x 450", small), ("4000 x 3000", large.getvalue())):
        print(f"\n{name} pixels, milliseconds")
        for step, work in steps(pipeline, content).items():
            print(f"{step:36s} {milliseconds(work):8.2f}")


def steps(pipeline: LesionPipeline, content: bytes) -> dict[str, Callable[[], object]]:
    bundle = pipeline.bundle
    segmentation, classification = (
        LiteRTModel(path, threads=1) for path in (bundle.segmentation_path, bundle.classification_path)
    )
    pixels = read_image(content)
    seen = resize(pixels, segmentation.input_shape[:2]).copy()
    probability = segmentation(seen)[0][:, :, 0]
    full_probability = resize(probability, pixels.shape[:2])
    mask = lesion_mask(full_probability, bundle.threshold)
    view = crop(pixels, lesion_box(mask, bundle.crop_margin))
    shown = resize(view, classification.input_shape[:2]).copy()
    prediction = pipeline.predict(content)
    return {
        "decode in full": lambda: read_image(content),
        "resize for the segmentation": lambda: resize(pixels, segmentation.input_shape[:2]),
        "segmentation network": lambda: segmentation(seen),
        "map to the image's size": lambda: resize(probability, pixels.shape[:2]),
        "mask: threshold, component, holes": lambda: lesion_mask(full_probability, bundle.threshold),
        "box": lambda: lesion_box(mask, bundle.crop_margin),
        "resize for the classifier": lambda: resize(view, classification.input_shape[:2]),
        "classification network": lambda: classification(shown),
        "the whole prediction": lambda: pipeline.predict(content),
        "overlay (with --output)": lambda: draw_overlay(pixels, prediction),
        "mask as PNG (with --output)": lambda: cv2.imencode(".png", mask.astype(np.uint8) * 255),
        "crop as JPEG (with --output)": lambda: cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, 95]),
    }


def milliseconds(work: Callable[[], object]) -> float:
    """The least of several runs, of this thread alone."""
    work()
    return 1000 * min(_seconds(work) for _ in range(RESAMPLES))


def _seconds(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


if __name__ == "__main__":
    main()
