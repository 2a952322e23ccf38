"""Coverage-guided fuzzing of the readers of tables, datasets and splits, with atheris.

    pip install atheris
    python tests/benchmarks/fuzz_datasets.py -max_total_time=1800 -rss_limit_mb=1500 -timeout=20 [CORPUS]

Whatever the bytes of its csv, a dataset loads with the diagnoses of its rows, or raises a DatasetError of one line.
"""

import random
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
CELLS = (
    *(
        b"image",
        b"image_id",
        b"dx",
        b"lesion_id",
        b"split",
        b"MEL",
        b"NV",
        b"BCC",
        b"mask",
        b"diagnosis",
        b"label",
    ),
    *(
        b"a",
        b"b",
        b"a.png",
        b"sub/a.png",
        b"A",
        b"L1",
        b"mel",
        b"nv",
        b"Melanoma",
        b"train",
        b"test",
        b"0",
        b"1",
    ),
    *(
        b"",
        b'"',
        b'"a',
        b'"a,b"',
        b'"a\nb"',
        b"\0",
        b"nan",
        b"0.5",
        b"1.0",
        b"True",
        b"-1",
        b"1e400",
        b"=1+1",
    ),
    *(b"sep=;", b"#", b"\xff", "\u00e9".encode(), b"\r", b" mel ", b"x" * 300),
)
FOLDER = Path(tempfile.mkdtemp())
for name in "ab":
    Image.new("L", (32, 32)).save(FOLDER / f"{name}.png")


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Change bytes, or cells, rows and columns; now and then start again from a whole table."""
    if seed % 16 == 0 or len(data) < 8:
        data = SEEDS[seed // 16 % len(SEEDS)]
    return atheris.Mutate(data, most) if seed % 2 else with_other_cells(data, random.Random(seed))[:most]


def with_other_cells(data: bytes, rng: random.Random) -> bytes:
    """The table with a cell exchanged, a row doubled or removed, a column put in, or another separator."""
    separator = rng.choice((b",", b",", b",", b";", b"\t", b"|"))
    rows = [row.split(separator) for row in data.split(b"\n")]
    place = rng.randrange(len(rows))
    match rng.randrange(6):
        case 0:
            rows.insert(place, list(rng.choice(rows)))
        case 1:
            del rows[place]
        case 2:
            for row in rows:
                row.append(rng.choice(CELLS))
        case 3:
            return data.replace(separator, rng.choice((b",", b";", b"\t", b"|")))
        case _:
            rows[place][rng.randrange(len(rows[place]))] = rng.choice(CELLS)
    return b"\n".join(separator.join(row) for row in rows)


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
