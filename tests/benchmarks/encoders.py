"""Every encoder that `lesion train --encoder` offers, from a training to a prediction. Run by hand:

    python tests/benchmarks/encoders.py [NAME...] [--stage STAGE]

Each is trained on drawn lesions from random weights at a small size, exported in int8 with its parity check, predicts
through the bundle, and is rebuilt from the bundle as `--start bundle` does. Size and milliseconds are those of the int8
file at the default input, one thread, the median of thirty runs. It takes some minutes for each.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from classification.config import ClassificationConfig
from classification.encoders import ENCODERS as CLASSIFIER_ENCODERS
from classification.model import build_classifier, with_activation_map
from classification.training import train as train_classification
from data.datasets.catalog import load_dataset
from data.drawing.dataset import synthesize_dataset
from data.images import read_image
from data.resizing import resize
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import MANIFEST_FILE, load_bundle
from pipeline.export.conversion import convert_plainly
from pipeline.export.exporting import ExportError, export
from pipeline.export.rebuilding import rebuilt_run
from pipeline.prediction.predictor import LesionPipeline
from segmentation.config import SegmentationConfig
from segmentation.encoders import ENCODERS as UNET_ENCODERS
from segmentation.engine.run_folder import Run, RunError
from segmentation.model import build_unet
from segmentation.training import train as train_segmentation

CLASSIFIER = ClassificationConfig(
    view="full", grouping="malignancy", input_side=64, head_epochs=0, small_epochs=0, epochs=4, batch_size=8,
    encoder_weights=None, augmentation="none", patience=4, learning_rate=1e-3,
)  # fmt: skip
UNET = SegmentationConfig(
    input_size=(64, 96), small_epochs=0, epochs=4, batch_size=8, encoder_weights=None, augmentation="none", patience=4
)  # fmt: skip
RUNS, CALIBRATION = 30, 4


def through_the_bundle(
    stage: str, run: Run, partner: Run | None, folder: Path, image: Path
) -> dict[str, str]:
    """Export, predict and rebuild; what can't be done is told by its message."""
    segmentation = load_bundle() if stage == "classification" else run
    for precision in ("int8", "float16"):
        try:
            bundle = export(
                segmentation,
                run if stage == "classification" else partner,
                folder / precision,
                precision=precision,
            )
            break
        except ExportError as error:
            print(f"{precision}: {error}", flush=True)
    else:
        return {"exported as": "no", "prediction": "no", "--start bundle": "no"}
    manifest = json.loads((bundle.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    parity = manifest["figures"]["parity"][stage]
    prediction = LesionPipeline.load(bundle).predict(image)
    size = getattr(bundle, stage).input_shape[:2]
    inputs = np.stack([resize(read_image(image), size)] * 4)
    try:
        rebuilt_run(bundle, stage, inputs, folder / "rebuilt")
        rebuilt = "yes"
    except RunError as error:
        print(error, flush=True)
        rebuilt = "no"
    return {
        "exported as": f"{precision}, differs by {parity['mean']:.4f}",
        "prediction": prediction.diagnosis,
        "--start bundle": rebuilt,
    }


def int8_speed(model: keras.Model, folder: Path) -> dict[str, float]:
    """Size and time of the int8 file of an untrained model."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (CALIBRATION, *model.input_shape[1:]), np.uint8)
    file = folder / "speed.tflite"
    file.write_bytes(convert_plainly(model, images, "int8"))
    runner = LiteRTModel(file, threads=1)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        runner(images[0])
        times.append(time.perf_counter() - start)
    return {"int8 MB": file.stat().st_size / 1e6, "ms": 1000 * statistics.median(times)}


def markdown(rows: list[dict[str, object]]) -> list[str]:
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [
        [f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows
    ]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def rows_of(
    stage: str,
    names: list[str],
    trained: Callable[[str, Path], Run],
    built: Callable[[str], keras.Model],
    partner: Run | None,
    folder: Path,
    image: Path,
) -> list[dict[str, object]]:
    rows = []
    for name in names:
        keras.utils.clear_session()
        place = folder / f"{stage}-{name}"
        run = trained(name, place / "run")
        model = built(name)
        rows.append({
            "stage": stage, "encoder": name, "parameters, million": model.count_params() / 1e6,
            "trained at, images/s": run.metrics["images_per_second"],
            **int8_speed(model, place),
            **through_the_bundle(stage, run, partner, place, image),
        })  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="By default all.")
    parser.add_argument("--stage", choices=["classification", "segmentation"], help="By default both.")
    arguments = parser.parse_args()

    def wanted(stage: str, encoders: Iterable[str]) -> list[str]:
        if arguments.stage not in {None, stage}:
            return []
        return [each for each in encoders if each in (arguments.names or encoders)]

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        synthesize_dataset(folder / "drawn", count=40, seed=0, size=(120, 160))
        catalog = load_dataset(folder / "drawn")
        image = Path(catalog["image_path"].iloc[0])

        def classifier(name: str, place: Path) -> Run:
            train_classification(catalog, replace(CLASSIFIER, encoder=name), place)
            return Run(place)

        def unet(name: str, place: Path) -> Run:
            train_segmentation(catalog, replace(UNET, encoder=name), place)
            return Run(place)

        rows = rows_of(
            "classification", wanted("classification", CLASSIFIER_ENCODERS),
            classifier, lambda name: with_activation_map(build_classifier(7, 224, None, encoder=name)),
            None, folder, image,
        )  # fmt: skip
        if unets := wanted("segmentation", UNET_ENCODERS):
            rows += rows_of(
                "segmentation", unets, unet, lambda name: build_unet((192, 256), None, encoder=name),
                classifier("mobilenetv2", folder / "partner"), folder, image,
            )  # fmt: skip
    print("\n" + "\n".join(markdown(rows)))


if __name__ == "__main__":
    main()
