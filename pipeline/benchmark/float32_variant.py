"""A bundle's own networks in float32, which tell what int8 brings; in a process of its own, for it needs Keras."""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.images import read_image
from data.resizing import resize
from pipeline.benchmark.folders import example_images
from pipeline.bundle.loading import MANIFEST_FILE, Bundle, load_bundle
from pipeline.bundle.saving import STAGES, save_bundle
from pipeline.prediction.predictor import LesionPipeline
from segmentation.cropping import crop

# They belong to the folder of the bundle itself, or are told anew.
DROPPED = ("splits", "files")


def write_float32_variant(bundle: Bundle, folder: Path) -> Bundle:
    """Write the bundle anew with both networks in float32, the weights that int8 left.

    Raises
    ------
    RunError
        If a network is none that `lesion train` builds.
    """
    images = [read_image(image) for image in example_images()]
    shown = {"segmentation": images, "classification": _crops(bundle, images)}
    manifest = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    fields = {key: value for key, value in manifest.items() if key not in DROPPED}
    with tempfile.TemporaryDirectory() as temporary:
        files = {}
        for stage, pictures in shown.items():
            height, width, _ = getattr(bundle, stage).input_shape
            inputs = np.stack([resize(picture, (height, width)) for picture in pictures])
            files[f"{stage}.tflite"] = Path(temporary) / f"{stage}.tflite"
            files[f"{stage}.tflite"].write_bytes(_converted(bundle, stage, inputs))
        return save_bundle({**fields, "precision": dict.fromkeys(STAGES, "float32")}, files, folder)


def _crops(bundle: Bundle, images: Sequence[np.ndarray]) -> list[np.ndarray]:
    pipeline = LesionPipeline.load(bundle)
    boxes = [pipeline.predict(image).box for image in images]
    return [crop(image, box) if box else image for image, box in zip(images, boxes, strict=True)]


def _converted(bundle: Bundle, stage: str, inputs: np.ndarray) -> bytes:
    from classification.model import with_activation_map  # noqa: PLC0415 - after the command's quick ways to fail
    from pipeline.export.conversion import convert  # noqa: PLC0415
    from pipeline.export.rebuilding import rebuilt_model  # noqa: PLC0415

    model = rebuilt_model(bundle, stage, inputs)
    return convert(with_activation_map(model) if stage == "classification" else model, inputs, "float32")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    write_float32_variant(load_bundle(sys.argv[1]), Path(sys.argv[2]))
