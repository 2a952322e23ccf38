"""A Ray cluster of two nodes on this machine, of which one is killed midway. Run by hand, with the extra `scale`:

    python tests/benchmarks/cluster.py IMAGES 1000 --work /tmp/cluster

Links to as many images of a folder, one of them broken, are predicted by `pipeline.scale` on two nodes of two
processors each, undisturbed and with the second node killed once a quarter of the rows is written. Both tables must be
that of `lesion predict --format parquet`, each image once. Ends with status 1 where it is not.
"""

import argparse
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import ray
from linked_images import BROKEN, make_links, predict_command
from pyarrow import fs
from ray.cluster_utils import Cluster

from pipeline.scale.actor import ClusterSettings
from pipeline.scale.predicting import predict_on_cluster

STORE_BYTES = 200 * 2**20
LOOK_EVERY = 0.2  # seconds


def rows_in(output: Path) -> int:
    """Rows of the files that are whole."""
    rows = 0
    for path in output.glob("*.parquet"):
        with suppress(pa.ArrowInvalid):  # it is being written
            rows += pq.read_metadata(path).num_rows
    return rows


def kill_once_written(rows: int, cluster: Cluster, node: object, output: Path) -> threading.Thread:
    """Kill a node as soon as so many rows are written."""

    def kill() -> None:
        while rows_in(output) < rows:
            time.sleep(LOOK_EVERY)
        cluster.remove_node(node, allow_graceful=False)
        print(f"second node killed, {rows_in(output)} rows written by then", flush=True)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def predict_plainly(links: Path, output: Path) -> dict[str, dict[str, object]]:
    words = predict_command(links, output, "--format", "parquet")
    subprocess.run(words, check=False, capture_output=True)
    rows = pq.read_table(output / "predictions").to_pylist()
    return {Path(row["image"]).name: {**row, "image": None} for row in rows}


def is_that_of(
    expected: dict[str, dict[str, object]], output: Path | str, store: fs.FileSystem | None = None
) -> bool:
    """Whether the cluster's table holds the expected rows and the broken file's, each once."""
    rows = pq.read_table(output, filesystem=store).to_pylist()
    failed = [Path(row["image"]).name for row in rows if row["error"]]
    found = {Path(row["image"]).name: {**row, "image": None} for row in rows if not row["error"]}
    for row in found.values():
        del row["error"]
    alike = found == expected and len(rows) == len(expected) + 1 and failed == [BROKEN]
    told = "the same as lesion predict" if alike else "NOT the same as lesion predict"
    print(f"  {len(rows)} rows, {len(failed)} failed: {told}", flush=True)
    return alike


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    parser.add_argument("--only", choices=("undisturbed", "killed"), help="by default both")
    wanted = parser.parse_args()
    work = wanted.work.absolute()
    links, killed = work / "links", work / "killed"
    outputs = [work / wanted.only] if wanted.only else [work / "undisturbed", killed]
    make_links(wanted.images, wanted.count, links)
    start = time.perf_counter()
    expected = predict_plainly(links, work / "plain")
    print(f"lesion predict: {len(expected)} rows in {time.perf_counter() - start:.1f} s", flush=True)

    node = {"num_cpus": 2, "object_store_memory": STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    second = cluster.add_node(**node)
    ray.init(address=cluster.address, log_to_driver=False)
    print(f"{len(ray.nodes())} nodes, {ray.cluster_resources()['CPU']:.0f} processors", flush=True)
    alike = []
    for output in outputs:
        output.mkdir()
        killing = kill_once_written(wanted.count // 4, cluster, second, output) if output == killed else None
        start = time.perf_counter()
        predict_on_cluster(str(links), str(output), ClusterSettings())
        seconds = time.perf_counter() - start
        if killing:
            killing.join()
        print(f"pipeline.scale, {output.name}: {seconds:.1f} s", flush=True)
        alike.append(is_that_of(expected, output))
    ray.shutdown()
    cluster.shutdown()
    sys.exit(not all(alike))


if __name__ == "__main__":
    main()
