"""Fuzzing of bundles: their manifests, models and splits, each bundle in a process of its own.

    python tests/benchmarks/fuzz_bundles.py --seconds 1800 --seed 0

The bundle that ships is copied and one thing in it changed: bytes of the manifest, a value in it (with its old hash,
or with the right one, as a stranger would make it), bytes of the splits or of a model (both with the right hash). Then
it is loaded, its splits are read, and it predicts a drawn lesion. What is counted as wrong: an exception of another
kind than BundleError and DatasetError, a sentence of several lines, a crash outside the trial, an answer that is no
probability, and another answer than before where no hash was made anew.
"""

import argparse
import copy
import hashlib
import json
import os
import pickle
import random
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from damaged_models import DAMAGES, structure_of

from data.datasets.errors import DatasetError
from data.drawing.dataset import draw_lesion
from data.splits import read_splits
from pipeline.bundle.loading import MANIFEST_FILE, BundleError, load_bundle
from pipeline.bundle.manifest import MANIFEST_HASH, manifest_hash
from pipeline.prediction.predictor import LesionPipeline

STRANGE: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        1e-300,
        1e300,
        float("nan"),
        float("inf"),
        10**400,
        2**63,
        "",
        "x" * 5000,
    ),
    *("\n\x1b[31m", "\ud800", "../../etc/passwd", "/etc/passwd", "con", [], {}, [[]], [None], {"": None}),
    *([0, 0, 0], [1, 1, 3], [10**9, 10**9, 3], ["mel"] * 7, [float("nan")] * 24, "int8", "full", "crop"),
)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a manifest; of a long list that of a few."""
    yield above
    keys = value if isinstance(value, dict) else range(min(3, len(value))) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*above, key))


def changed_manifest(manifest: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A copy with a value exchanged, removed, or given to another key."""
    changed = copy.deepcopy(manifest)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        top = rng.choice([key for key in changed if key != MANIFEST_HASH])
        *above, key = rng.choice([path for path in places(changed[top], (top,)) if path])
        parent: Any = changed
        for step in above:
            parent = parent[step]
        match rng.randrange(4):
            case 0:
                del parent[key]
            case 1:
                parent[key] = copy.deepcopy(changed[rng.choice(list(changed))]) if changed else None
            case _:
                parent[key] = copy.deepcopy(rng.choice(STRANGE))
        if not changed:
            return changed
    return changed


def damaged(content: bytes, rng: random.Random) -> bytes:
    """A copy of bytes with a few of them changed, removed or put in."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place, length = rng.randrange(len(changed)), rng.randrange(1, 40)
        match rng.randrange(5):
            case 0:
                changed[place] ^= 1 << rng.randrange(8)
            case 1:
                changed[place] = rng.randrange(256)
            case 2:
                del changed[place : place + length]
            case 3:
                changed[place:place] = rng.randbytes(length)
            case _:
                changed[place : place + length] = rng.choice((b'"', b"\n", b",", b"\0", b"}")) * length
    return bytes(changed) or b"\0"


class Fuzzer:
    """Makes bundles of the one that ships, and judges what comes of them."""

    def __init__(self, work: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.sound = load_bundle()
        self.folder = work / "bundle"
        self.manifest = json.loads((self.sound.folder / MANIFEST_FILE).read_text())
        self.models = [self.sound.segmentation, self.sound.classification]
        self.contents = {model.file: (self.sound.folder / model.file).read_bytes() for model in self.models}
        self.structures = {name: structure_of(content) for name, content in self.contents.items()}
        self.image = draw_lesion(1, "mel", (240, 320)).image
        self.expected = self._outcome(self.sound.folder)

    def kinds(self) -> dict[str, Callable[[], bool]]:
        """What is changed -> how; each returns whether the answer must stay as it is."""
        return {
            "manifest's bytes": self._damage_manifest,
            "manifest's values, old hash": lambda: self._change_manifest(renew=False),
            "manifest's values, new hash": lambda: self._change_manifest(renew=True),
            "splits' bytes, new hash": self._damage_splits,
            "a model's bytes, new hash": self._damage_model,
        }

    def run(self, kind: str) -> str:
        """One changed bundle; what came of it, in words that start with WRONG where it should not."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.sound.folder, self.folder)
        must_stay = self.kinds()[kind]()
        outcome, said = self._outcome(self.folder)
        if outcome != "answer":
            return outcome if outcome == "refused" else f"WRONG {outcome}: {said}"
        if must_stay and said != self.expected[1]:
            return "WRONG another answer"
        return "the same answer" if said == self.expected[1] else "another answer"

    def _write(self, manifest: dict[str, Any]) -> None:
        text = json.dumps(manifest).encode("utf-8", "surrogatepass")
        (self.folder / MANIFEST_FILE).write_bytes(text)

    def _damage_manifest(self) -> bool:
        path = self.folder / MANIFEST_FILE
        path.write_bytes(damaged(path.read_bytes(), self.rng))
        return True

    def _change_manifest(self, *, renew: bool) -> bool:
        changed = changed_manifest(self.manifest, self.rng)
        if renew:
            changed[MANIFEST_HASH] = manifest_hash(changed)
        self._write(changed)
        return not renew

    def _damage_splits(self) -> bool:
        name = self.manifest["splits"]["file"]
        self._put(name, "splits", damaged((self.folder / name).read_bytes(), self.rng))
        return True

    def _damage_model(self) -> bool:
        part = self.rng.choice(("segmentation", "classification"))
        name = self.manifest[part]["file"]
        content = bytearray(self.contents[name])
        self.rng.choice(DAMAGES)(content, self.structures[name], self.rng)
        self._put(name, part, bytes(content))
        return False

    def _put(self, name: str, part: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)
        manifest = copy.deepcopy(self.manifest)
        manifest[part]["sha256"] = hashlib.sha256(content).hexdigest()
        manifest[MANIFEST_HASH] = manifest_hash(manifest)
        self._write(manifest)

    def _outcome(self, folder: Path) -> tuple[str, Any]:
        """What a fork of this process says of a bundle: it may crash."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            with os.fdopen(writer, "wb") as answer:
                answer.write(pickle.dumps(self._use(folder)))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as answer:
            content = answer.read()
        status = os.waitpid(child, 0)[1]
        return pickle.loads(content) if content else ("crash", f"status {status}")

    def _use(self, folder: Path) -> tuple[str, Any]:
        try:
            bundle = load_bundle(folder)
            if bundle.splits_path:
                read_splits(bundle.splits_path)
            facts = LesionPipeline.load(bundle, 1).predict(self.image).to_dict()
        except (BundleError, DatasetError) as error:
            return ("refused", str(error)) if "\n" not in str(error) else ("several lines", str(error))
        except BaseException as error:
            failure = traceback.extract_tb(error.__traceback__)[-1]
            return (
                "exception",
                f"{type(error).__name__} {error!s:.200} at {failure.filename}:{failure.lineno}",
            )
        values = np.array(list(facts["probabilities"].values()))
        if not np.isfinite(values).all() or abs(values.sum() - 1) > 1e-3 or not facts["diagnosis"]:
            return "no probabilities", str(facts["probabilities"])
        return "answer", json.dumps([facts["diagnosis"], facts["probabilities"], facts["malignant"]])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["LESION_CACHE"] = f"{temporary}/cache"
        fuzzer = Fuzzer(Path(temporary), wanted.seed)
        end = time.monotonic() + wanted.seconds
        while time.monotonic() < end:
            kind = fuzzer.rng.choices(list(fuzzer.kinds()), weights=(6, 6, 8, 4, 2))[0]
            said = fuzzer.run(kind)
            if said.startswith("WRONG"):
                print(f"{kind}: {said}", flush=True)
                said = said.split(":")[0]
            counts[kind, said] += 1
    for (kind, said), count in sorted(counts.items()):
        print(f"{kind:30}{said:24}{count:7}")
    print(f"{sum(counts.values())} bundles in {wanted.seconds:.0f} s")


if __name__ == "__main__":
    main()
