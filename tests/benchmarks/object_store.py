"""A Ray run that reads its images from an object store and writes its table there. Run by hand, with the extra `scale`:

    pip install 'moto[server,s3]'
    python tests/benchmarks/object_store.py IMAGES 500 --work /tmp/store

As many images of a folder, one of them broken, go to a bucket of moto's server on this machine, which speaks S3's
protocol; `python -m pipeline.scale s3://... s3://...` predicts them. The table must be that of `lesion predict
--format parquet`, each image once. Ends with status 1 where it is not.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import is_that_of, predict_plainly
from linked_images import make_links
from pyarrow import fs
from server_load import free_port

STARTING = 60  # seconds
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def store_at(port: int) -> fs.S3FileSystem:
    return fs.S3FileSystem(
        access_key=KEYS["AWS_ACCESS_KEY_ID"],
        secret_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=f"127.0.0.1:{port}",
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
    )


@contextmanager
def object_store(command: str) -> Iterator[int]:
    """The port of an S3 server that holds an empty bucket."""
    port = free_port()
    words = [command, "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(STARTING):
                try:
                    store_at(port).create_dir("bucket")
                    break
                except OSError:
                    time.sleep(1)
            yield port
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    parser.add_argument("--server", default="moto_server", help="moto's server, where it is not on the path")
    wanted = parser.parse_args()
    links = wanted.work / "links"
    make_links(wanted.images, wanted.count, links)
    expected = predict_plainly(links, wanted.work / "plain")
    with object_store(wanted.server) as port:
        store = store_at(port)
        for path in links.iterdir():
            with store.open_output_stream(f"bucket/photos/{path.name}") as stream:
                stream.write(path.read_bytes())
        print(f"{wanted.count} images and a broken file in s3://bucket/photos", flush=True)
        where = f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
        places = [f"s3://bucket/{name}{where}" for name in ("photos", "predictions")]
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pipeline.scale", *places],
            env={**os.environ, **KEYS},
            check=True,
            capture_output=True,
        )
        print(f"pipeline.scale: {time.perf_counter() - start:.1f} s", flush=True)
        alike = is_that_of(expected, "bucket/predictions", store)
    sys.exit(not alike)


if __name__ == "__main__":
    main()
