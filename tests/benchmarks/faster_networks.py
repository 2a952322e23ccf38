"""What could still make the networks faster: other ways to run them, and parts of them that one could do without.

    python tests/benchmarks/faster_networks.py [BUNDLE]

Processor milliseconds of all threads together, the least of many runs, so that it can be told while other work is
running. The first table runs the bundle's networks by every way that LiteRT offers in Python, and says whether the
outputs are the same. The second has U-Nets in int8 with random weights, whose accuracy only a training could tell: the
decoder with half and a fourth of its filters, and the encoder without any. That one needs the extra `train`.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from ai_edge_litert.compiled_model import CompiledModel, CpuKernelMode, CpuOptions, Options
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from data.images import read_image
from data.resizing import resize
from pipeline.benchmark.folders import example_images
from pipeline.bundle.litert import LiteRTModel
from pipeline.bundle.loading import load_bundle
from pipeline.export.conversion import convert_plainly
from segmentation.config import DECODER_FILTERS
from segmentation.model import build_unet

RUNS, CALIBRATION = 60, 4
LATEST_OPERATORS = 0x1 | 0x2 | 0x40  # XNNPACK's flags: signed and unsigned int8, and ENABLE_LATEST_OPERATORS

Way = Callable[[str], Callable[[np.ndarray], tuple[np.ndarray, ...]]]


def milliseconds(work: Callable[[], object]) -> float:
    """The least of many runs, all threads of this process together."""
    work()
    return 1000 * min(_seconds(work) for _ in range(RUNS))


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def interpreted(**options: Any) -> Way:
    """LiteRT's interpreter, which Lesion uses."""

    def opened(path: str) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        interpreter = Interpreter(path, **{"num_threads": 1, **options})
        interpreter.allocate_tensors()
        (given,), outputs = interpreter.get_input_details(), interpreter.get_output_details()

        def run(values: np.ndarray) -> tuple[np.ndarray, ...]:
            interpreter.set_tensor(given["index"], values)
            interpreter.invoke()
            return tuple(interpreter.get_tensor(output["index"]) for output in outputs)

        return run

    return opened


def compiled(**options: Any) -> Way:
    """LiteRT's newer compiled model."""

    def opened(path: str) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        model = CompiledModel.from_file(
            path, options=Options(cpu_options=CpuOptions(num_threads=1, **options))
        )
        (given,), outputs = model.create_input_buffers(0), model.create_output_buffers(0)
        details = Interpreter(path).get_output_details()

        def run(values: np.ndarray) -> tuple[np.ndarray, ...]:
            given.write(values)
            model.run_by_index(0, [given], outputs)
            return tuple(
                buffer.read(int(np.prod(output["shape"])), output["dtype"]).reshape(output["shape"])
                for buffer, output in zip(outputs, details, strict=True)
            )

        return run

    return opened


WAYS = {
    "interpreter, as Lesion uses it": interpreted(),
    "interpreter, latest operators": interpreted(experimental_default_delegate_latest_features=True),
    "interpreter, two threads": interpreted(num_threads=2),
    "interpreter without XNNPACK": interpreted(
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    ),
    "compiled model": compiled(),
    "compiled model, latest operators": compiled(xnnpack_flags=LATEST_OPERATORS),
    "compiled model, YNNPACK": compiled(enable_ynnpack=True),
    "compiled model, built-in kernels": compiled(kernel_mode=CpuKernelMode.BUILTIN),
}


def model_input(path: Path) -> np.ndarray:
    """An example image as the network takes it, with the batch axis."""
    size = LiteRTModel(path, threads=1).input_shape[:2]
    (given,) = Interpreter(str(path)).get_input_details()
    pixels = resize(read_image(example_images()[0]), size)
    scale, zero_point = given["quantization"]
    if not scale:
        return pixels[None].astype(given["dtype"])
    levels = np.rint(pixels / scale) + zero_point
    limits = np.iinfo(given["dtype"])
    return np.clip(levels, limits.min, limits.max).astype(given["dtype"])[None]


def print_ways(paths: list[Path]) -> None:
    print("| way | U-Net, ms | classifier, ms | outputs |\n|---|---|---|---|")
    inputs = [model_input(path) for path in paths]
    expected = [interpreted()(str(path))(values) for path, values in zip(paths, inputs, strict=True)]
    for name, way in WAYS.items():
        try:
            runs = [way(str(path)) for path in paths]
        except RuntimeError as error:
            print(f"| {name} | | | {' '.join(str(error).split())} |", flush=True)
            continue
        times = [
            milliseconds(lambda run=run, values=values: run(values))
            for run, values in zip(runs, inputs, strict=True)
        ]
        found = [run(values) for run, values in zip(runs, inputs, strict=True)]
        same = all(
            np.array_equal(one, other)
            for outputs, others in zip(found, expected, strict=True)
            for one, other in zip(outputs, others, strict=True)
        )
        print(
            f"| {name} | {times[0]:.2f} | {times[1]:.2f} | {'the same' if same else 'others'} |", flush=True
        )


def print_decoders(size: tuple[int, int], folder: Path) -> None:
    print("\n| U-Net, random weights, int8 | ms |\n|---|---|")
    for share in (1, 2, 4):
        filters = tuple(number // share for number in DECODER_FILTERS)
        unet = build_unet(size, None, filters)
        print(f"| decoder {filters} | {int8_milliseconds(unet, folder):.2f} |", flush=True)
    scaled, whole = unet.get_layer("scale").output, unet.layers[-1]
    deepest = keras.Model(whole.input, whole.get_layer("decoder_stage0_upsampling").input)
    encoder = keras.Model(unet.input, deepest(scaled))
    print(f"| the encoder alone | {int8_milliseconds(encoder, folder):.2f} |")


def int8_milliseconds(model: keras.Model, folder: Path) -> float:
    images = np.random.default_rng(0).integers(0, 256, (CALIBRATION, *model.input_shape[1:]), np.uint8)
    file = folder / "model.tflite"
    file.write_bytes(convert_plainly(model, images, "int8"))
    run, values = interpreted()(str(file)), model_input(file)
    return milliseconds(lambda: run(values))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", nargs="?", help="by default the one that ships")
    parser.add_argument("--only", choices=("ways", "decoders"), help="by default both")
    wanted = parser.parse_args()
    bundle = load_bundle(wanted.bundle)
    if wanted.only != "decoders":
        print_ways([bundle.segmentation_path, bundle.classification_path])
    if wanted.only != "ways":
        with tempfile.TemporaryDirectory() as folder:
            print_decoders(bundle.segmentation.input_shape[:2], Path(folder))


if __name__ == "__main__":
    main()
