"""Where int8 loses what a run has learned, layer by layer, and what each way of quantising costs and keeps.

The first table has, for every layer, the signal-to-noise ratio (dB) of its output in int8 against float32, and of the
first output of the whole model when this layer's weights alone are rounded. The second has the variants: bytes, CPU
milliseconds an image on one thread, agreement with float32, and the figure that counts, on the validation images alone.

Run: python tests/benchmarks/quantisation.py RUN DATASET [--images N] [--no-layers]
"""

import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
import typer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from classification.model import with_activation_map
from classification.views import crop_view
from data.datasets.catalog import load_dataset
from data.images import read_image, read_mask
from data.resizing import resize
from data.silence import silent_standard_error
from pipeline.bundle.litert import LiteRTModel
from pipeline.export import quantisation
from pipeline.export.conversion import convert, convert_plainly, litert_converter, run_converter
from pipeline.export.quantisation import Model, refine
from segmentation.cropping import crop, lesion_mask
from segmentation.engine.run_folder import Run
from segmentation.metrics import jaccard

TIMED_IMAGES = 100


def main(
    folder: Annotated[Path, typer.Argument(metavar="RUN")],
    dataset: Path,
    images: Annotated[int, typer.Option(help="at most, spread over the validation images")] = 10_000,
    layers: bool = True,
) -> None:
    run = Run(folder)
    classifies = run.config["stage"] == "classification"
    model = keras.models.load_model(run.model_path, compile=False)
    model = with_activation_map(model) if classifies else model
    calibration, samples = run.samples["calibration"], run.samples["validation"]
    exact = convert(model, calibration, "float32")
    plain = convert_plainly(model, calibration, "int8")
    if layers:
        table = layer_errors(exact, plain, refine(plain, exact, calibration), samples[:32])
        print(table.to_string(index=False, float_format="%.1f"), flush=True)
    catalog = validation_images(run, dataset, images)
    inputs = [run_input(run, row, model.input_shape[1:3]) for row in catalog.to_dict("records")]
    score = classification_score(run, catalog) if classifies else segmentation_score(run, catalog)
    expected = None
    for name, make in variants(model, calibration, exact, plain).items():
        content = make()
        answers, milliseconds = answer(content, inputs)
        expected = answers if expected is None else expected
        print(
            f"{name:34s} {len(content):9,d} bytes {milliseconds:6.2f} ms  {score(answers, expected)}",
            flush=True,
        )


def variants(
    model: keras.Model, calibration: np.ndarray, exact: bytes, plain: bytes
) -> dict[str, Callable[[], bytes]]:
    """Every way of quantising that was tried, by name; the first is the one that the others are compared with."""
    return {
        "float32": lambda: exact,
        "float16 weights": lambda: convert(model, calibration, "float16"),
        "int8, nearest level": lambda: plain,
        "int8, biases corrected alone": lambda: refine_without_rounding(plain, exact, calibration),
        "int8, as exported": lambda: refine(plain, exact, calibration),
        "int8, nearest, depthwise in float": lambda: with_float_depthwise(model, calibration),
        "dynamic range (int8 weights)": lambda: dynamic_range(model),
    }


def refine_without_rounding(plain: bytes, exact: bytes, calibration: np.ndarray) -> bytes:
    """`refine` with every depthwise kernel left as TensorFlow rounded it."""
    most, quantisation.MOST_WEIGHTS_TO_CHOOSE = quantisation.MOST_WEIGHTS_TO_CHOOSE, 0
    try:
        return refine(plain, exact, calibration)
    finally:
        quantisation.MOST_WEIGHTS_TO_CHOOSE = most


def dynamic_range(model: keras.Model) -> bytes:
    converter = litert_converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return run_converter(converter)


def with_float_depthwise(model: keras.Model, calibration: np.ndarray) -> bytes:
    """TensorFlow's int8, every weight at its nearest level, with the depthwise convolutions left in float32."""
    samples = [[sample[None].astype(np.float32)] for sample in calibration]
    converter = litert_converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: samples
    with silent_standard_error(), contextlib.redirect_stdout(io.StringIO()):
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter,
            debug_dataset=lambda: samples,
            debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=["DEPTHWISE_CONV_2D"]),
        )
        return debugger.get_nondebug_quantized_model()


def layer_errors(exact: bytes, plain: bytes, refined: bytes, images: np.ndarray) -> pd.DataFrame:
    """One row a layer: signal-to-noise ratios in dB, of its output and of the model's when it alone is rounded."""
    original, outputs = Model(exact), [layer_outputs(each, images) for each in (exact, plain, refined)]
    rows = []
    for index, layer in enumerate(original.layers):
        reference, nearest, mended = (each[index] for each in outputs)
        alone = [outputs_with_rounded_weights(exact, each, index, images) for each in (plain, refined)]
        rows.append(
            {
                "layer": layer_name(original, layer.weights),
                "output, nearest": decibels(reference, nearest),
                "output, exported": decibels(reference, mended),
                "alone, nearest": decibels(outputs[0][-1], alone[0]),
                "alone, exported": decibels(outputs[0][-1], alone[1]),
            }
        )
    return pd.DataFrame(rows)


def layer_outputs(content: bytes, images: np.ndarray) -> list[np.ndarray]:
    """What each layer puts out over all images, as numbers, in the layers' order."""
    model = Model(content)
    model.graph.outputs = [layer_output(model, layer.weights) for layer in model.layers]
    return run_file(model.to_bytes(), images, model.graph.outputs)


def outputs_with_rounded_weights(exact: bytes, rounded: bytes, index: int, images: np.ndarray) -> np.ndarray:
    """The last layer's output of the float32 model with the levels and the corrected bias of one int8 layer."""
    model, levels = Model(exact), Model(rounded)
    layer, twin = model.layers[index], levels.layers[index]
    scale = levels.scale(twin.weights)[:, None]
    rows = twin.to_rows(levels.constant(twin.weights, np.int8)) * scale
    shape = tuple(model.graph.tensors[layer.weights].shape)
    model.replace(layer.weights, layer.from_rows(rows, shape).astype(np.float32))
    if quantisation.NO_TENSOR not in (layer.bias, twin.bias):
        bias = levels.constant(twin.bias, np.int32) * levels.scale(twin.bias)
        model.replace(layer.bias, bias.astype(np.float32))
    model.graph.outputs = [layer_output(model, model.layers[-1].weights)]
    return run_file(model.to_bytes(), images, model.graph.outputs)[0]


def layer_output(model: Model, weights: int) -> int:
    (operator,) = [each for each in model.graph.operators if weights in each.inputs]
    return int(operator.outputs[0])


def layer_name(model: Model, weights: int) -> str:
    parts = model.graph.tensors[weights].name.decode().split(";")[0].split("/")
    return "/".join(parts[-3:])[-44:]


def run_file(content: bytes, images: np.ndarray, places: list[int]) -> list[np.ndarray]:
    interpreter = quantisation.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    details = {each["index"]: each for each in interpreter.get_output_details()}
    collected: list[list[np.ndarray]] = [[] for _ in places]
    for image in images:
        interpreter.set_tensor(entry["index"], image[None].astype(entry["dtype"]))
        interpreter.invoke()
        for place, found in zip(places, collected, strict=True):
            scale, zero_point = details[place]["quantization"]
            found.append((interpreter.get_tensor(place).astype(np.float32) - zero_point) * (scale or 1))
    return [np.concatenate(found) for found in collected]


def decibels(exact: np.ndarray, found: np.ndarray) -> float:
    noise = np.square(found.ravel() - exact.ravel()).mean()
    return float(10 * np.log10(np.square(exact).mean() / max(noise, 1e-20)))


def validation_images(run: Run, dataset: Path, most: int) -> pd.DataFrame:
    """Catalog rows of the run's validation images, with the lesions' bounds where the run has them."""
    splits = run.splits
    chosen = splits.loc[splits["split"] == "validation", ["image_id"]]
    catalog = chosen.merge(load_dataset(dataset), on="image_id")
    boxes = run.folder / "lesions-validation.csv"
    if boxes.exists():
        catalog = catalog.merge(pd.read_csv(boxes), on="image_id")
    places = np.unique(np.linspace(0, len(catalog) - 1, min(most, len(catalog))).astype(int))
    return catalog.iloc[places].reset_index(drop=True)


def run_input(run: Run, row: dict[Any, Any], size: tuple[int, int]) -> np.ndarray:
    image = read_image(row["image_path"])
    if run.settings.get("view") == "crop":
        (region,) = crop_view(pd.DataFrame([row]), run.settings["margin"], 0.0).regions
        image = crop(image, region) if region else image
    return resize(image, size)


def answer(content: bytes, inputs: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """The first output for every input, and CPU milliseconds an image on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.tflite"
        file.write_bytes(content)
        model = LiteRTModel(file, threads=1)
        answers = np.stack([model(image)[0] for image in inputs])
        start = time.process_time()
        for image in inputs[:TIMED_IMAGES]:
            model(image)
    return answers, 1000 * (time.process_time() - start) / min(TIMED_IMAGES, len(inputs))


def classification_score(run: Run, catalog: pd.DataFrame) -> Callable[[np.ndarray, np.ndarray], str]:
    labels = catalog["dx"].map(run.metrics["classes"].index).to_numpy()

    def score(logits: np.ndarray, expected: np.ndarray) -> str:
        probabilities, before = (
            keras.ops.convert_to_numpy(keras.ops.softmax(each)) for each in (logits, expected)
        )
        accuracy = balanced_accuracy_score(labels, logits.argmax(axis=1))
        auc = roc_auc_score(labels, probabilities, multi_class="ovr", labels=range(logits.shape[1]))
        same = np.mean(logits.argmax(axis=1) == expected.argmax(axis=1))
        return (
            f"balanced accuracy {accuracy:.4f}  macro AUC {auc:.4f}  same class {same:.4f}  "
            f"probabilities off by {np.abs(probabilities - before).mean():.4f}"
        )

    return score


def segmentation_score(run: Run, catalog: pd.DataFrame) -> Callable[[np.ndarray, np.ndarray], str]:
    references = [read_mask(path) for path in catalog["mask_path"]]
    threshold = run.metrics["threshold"]

    def masks(answers: np.ndarray) -> list[np.ndarray]:
        pairs = zip(answers[..., 0], references, strict=True)
        return [lesion_mask(resize(answer, reference.shape), threshold) for answer, reference in pairs]

    def score(answers: np.ndarray, expected: np.ndarray) -> str:
        found = masks(answers)
        truth = np.mean([jaccard(*pair) for pair in zip(found, references, strict=True)])
        same = np.mean([jaccard(*pair) for pair in zip(found, masks(expected), strict=True)])
        off = np.abs(answers - expected)
        return (
            f"mean Jaccard {truth:.4f}  with float32's masks {same:.4f}  "
            f"probabilities off by {off.mean():.4f}, at most {off.max():.2f}"
        )

    return score


if __name__ == "__main__":
    typer.run(main)
