"""Coverage-guided fuzzing of the readers of tables, datasets and splits, with atheris.

    pip install atheris
    python tests/benchmarks/fuzz_datasets.py -max_total_time=1800 -rss_limit_mb=1500 -timeout=20 [CORPUS]

Whatever the bytes of its csv, a dataset loads with the diagnoses of its rows, or raises a DatasetError of one line.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import atheris
from PIL import Image

with atheris.instrument_imports(include=["data"]):
    from data.datasets.catalog import DatasetError, load_dataset
    from data.datasets.errors import DatasetWarning
    from data.splits import read_splits

SEEDS = (
    b"image,dx\na,mel\nb,nv\n",
    b"lesion_id,image_id,dx,age\nL1,a,mel,40\nL1,b,mel,\n",
    b"image,MEL,NV\na,1,0\nb,0,1\n",
    b"sep=;\nfile;label;lesion\na.png;nevus;1\n",
    b"image_id,melanoma,seborrheic_keratosis\na,0,1\n",
    b"image_id,split\na,train\nb,test\n",
    "\ufeffimage,dx\na,mel\n".encode("utf-16"),
)
FOLDER = Path(tempfile.mkdtemp())
for name in "ab":
    Image.new("L", (32, 32)).save(FOLDER / f"{name}.png")


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Now and then start again from a whole table."""
    if seed % 16 == 0 or len(data) < 8:
        data = SEEDS[seed // 16 % len(SEEDS)]
    return atheris.Mutate(data, most)


def read(data: bytes) -> None:
    """Read the bytes as a dataset's table, and as a split."""
    path = FOLDER / "table.csv"
    path.write_bytes(data)
    warnings.simplefilter("ignore", DatasetWarning)
    for reader in (lambda: load_dataset(FOLDER), lambda: read_splits(path)):
        try:
            found = reader()
        except DatasetError as error:
            assert "\n" not in str(error), repr(str(error))
        else:
            assert "image_id" in found.columns
            assert not found["image_id"].duplicated().any()


if __name__ == "__main__":
    atheris.Setup(sys.argv, read, custom_mutator=mutated)
    atheris.Fuzz()
