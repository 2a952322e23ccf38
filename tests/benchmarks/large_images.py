"""The most memory that `lesion predict` takes on a folder of the largest images that are read.

    python tests/benchmarks/large_images.py [MOST_GB]

Writes six files of 40 million pixels (PNG: 51, JPEG: 65) of several formats, predicts them in one command, with and
without pictures, and ends with status 1 where the process took more than MOST_GB, by default 1.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PNG_SIDES, OTHER_SIDES, JPEG_SIDES = (7140, 7140), (6320, 6320), (8060, 8060)


def write(folder: Path) -> None:
    """Write a drawn lesion as large as it is read in each of the formats."""
    import cv2  # noqa: PLC0415 - all of these in the process alone that writes
    import numpy as np  # noqa: PLC0415
    import tifffile  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    from data.drawing.dataset import draw_lesion  # noqa: PLC0415

    lesion = draw_lesion(1, "mel", (480, 480)).image
    png, others, jpeg = (
        cv2.resize(lesion, sides, interpolation=cv2.INTER_CUBIC)
        for sides in (PNG_SIDES, OTHER_SIDES, JPEG_SIDES)
    )
    Image.fromarray(png).save(folder / "a.png", compress_level=1)
    Image.fromarray(png).convert("RGBA").save(folder / "b.png", compress_level=1)
    Image.fromarray(others).save(folder / "c.webp", quality=80, method=0)
    Image.fromarray(others).save(folder / "d.bmp")
    tifffile.imwrite(folder / "e.tif", others.astype(np.uint16) * 257, photometric="rgb")
    Image.fromarray(jpeg).save(folder / "f.jpg", quality=90)


def main(most: float) -> None:
    too_much = False
    with tempfile.TemporaryDirectory() as temporary:
        photographs = Path(temporary) / "photographs"
        photographs.mkdir()
        # In a process of its own: the peak that is told of another one starts from this one's memory.
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(photographs,))
        writer.start()
        writer.join()
        for options in ((), ("--output", f"{temporary}/results")):
            command = [sys.executable, "-m", "pipeline.cli", "predict", str(photographs), *options]
            reader = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ})
            _, status, used = os.wait4(reader.pid, 0)
            taken = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
            too_much |= taken > most or status != 0
            print(
                f"predict {' '.join(options[:1])}: status {os.waitstatus_to_exitcode(status)}, {taken:.2f} GB"
            )
    sys.exit(too_much)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
