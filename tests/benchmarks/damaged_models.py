"""Damage the models of the bundle that ships, give them their right hash, and count what a trial says of them.

    python tests/benchmarks/damaged_models.py --count 200 --seed 0

Four kinds of damage: bits flipped and words overwritten in the structure of the file, blocks of zeros anywhere, ends
cut off. A model that passes its trial is run once more on other images, in a fork, to see whether it breaks there.
"""

import argparse
import hashlib
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert.schema_py_generated import ModelT

from pipeline.bundle.litert import LiteRTModel, ModelError
from pipeline.bundle.loading import load_bundle
from pipeline.bundle.trial import try_model

LARGE = 64  # bytes of a buffer from which on its content counts as weights


def structure_of(content: bytes) -> list[int]:
    """Positions of the bytes that are no weights."""
    weights = np.zeros(len(content), bool)
    for buffer in ModelT.InitFromPackedBuf(content).buffers:
        if buffer.data is not None and len(buffer.data) > LARGE:
            start = content.find(bytes(buffer.data))
            weights[start : start + len(buffer.data)] = True
    return np.flatnonzero(~weights).tolist()


def flip_bits(content: bytearray, structure: list[int], rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        content[rng.choice(structure)] ^= 1 << rng.randrange(8)


def overwrite_word(content: bytearray, structure: list[int], rng: random.Random) -> None:
    place = rng.choice(structure) & ~3
    value = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, rng.getrandbits(32)))
    content[place : place + 4] = value.to_bytes(4, "little")


def zero_block(content: bytearray, _structure: list[int], rng: random.Random) -> None:
    start, length = rng.randrange(8, len(content)), 2 ** rng.randrange(2, 14)
    content[start : start + length] = bytes(len(content[start : start + length]))


def cut_off(content: bytearray, _structure: list[int], rng: random.Random) -> None:
    del content[rng.randrange(8, len(content)) :]


DAMAGES: tuple[Callable[[bytearray, list[int], random.Random], None], ...] = (
    flip_bits,
    flip_bits,
    overwrite_word,
    overwrite_word,
    zero_block,
    cut_off,
)


def runs_elsewhere(path: Path) -> bool:
    """Whether a fork of this process runs the model on random images and lives."""
    child = os.fork()
    if child == 0:
        try:
            model = LiteRTModel(path, threads=2)
            for seed in range(3):
                model(np.random.default_rng(seed + 9).integers(0, 256, model.input_shape, np.uint8))
        except ModelError:
            os._exit(0)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def verdict(path: Path) -> str:
    try:
        try_model(path, hashlib.sha256(path.read_bytes()).hexdigest())
    except ModelError as error:
        text = str(error)
        return next((word for word in ("crashes LiteRT", "gave no answer") if word in text), "refused")
    return "passed" if runs_elsewhere(path) else "PASSED AND THEN CRASHED"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    bundle, rng = load_bundle(), random.Random(wanted.seed)
    originals = [path.read_bytes() for path in (bundle.segmentation_path, bundle.classification_path)]
    structures = [structure_of(content) for content in originals]
    counts: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LESION_CACHE"] = folder
        for number in range(wanted.count):
            stage = number % 2
            content, damage = bytearray(originals[stage]), rng.choice(DAMAGES)
            damage(content, structures[stage], rng)
            path = Path(folder) / "model.tflite"
            path.write_bytes(content)
            said = verdict(path)
            counts[said] += 1
            if said not in {"refused", "passed"}:
                print(f"{number}: {damage.__name__}: {said}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
