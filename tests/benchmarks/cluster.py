"""A Ray cluster of two nodes on this machine, of which one is killed midway. Run by hand, with the extra `scale`:

    python tests/benchmarks/cluster.py IMAGES 1000 --work /tmp/cluster

Links to as many images of a folder, one of them broken, are predicted by `pipeline.scale` on two nodes of two
processors each, undisturbed and with the second node killed after half of the time that this took. Both tables must
be that of `lesion predict --format parquet`, each image once. Ends with status 1 where it is not.
"""

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
import ray
from linked_images import BROKEN, make_links, predict_command
from ray.cluster_utils import Cluster

from pipeline.scale.actor import ClusterSettings
from pipeline.scale.predicting import predict_on_cluster

STORE_BYTES = 200 * 2**20


def kill_after(seconds: float, cluster: Cluster, node: object, output: Path) -> threading.Timer:
    """Kill a node in so many seconds."""

    def kill() -> None:
        cluster.remove_node(node, allow_graceful=False)
        written = sum(pq.read_metadata(path).num_rows for path in output.glob("*.parquet"))
        print(f"second node killed after {seconds:.1f} s, {written} rows written by then", flush=True)

    timer = threading.Timer(seconds, kill)
    timer.start()
    return timer


def predict_plainly(links: Path, output: Path) -> dict[str, dict[str, object]]:
    words = predict_command(links, output, "--format", "parquet")
    subprocess.run(words, check=False, capture_output=True)
    rows = pq.read_table(output / "predictions").to_pylist()
    return {Path(row["image"]).name: {**row, "image": None} for row in rows}


def is_that_of(expected: dict[str, dict[str, object]], output: Path) -> bool:
    """Whether the cluster's table holds the expected rows and the broken file's, each once."""
    rows = pq.read_table(output).to_pylist()
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
    wanted = parser.parse_args()
    work = wanted.work.absolute()
    links, outputs = work / "links", [work / "undisturbed", work / "killed"]
    make_links(wanted.images, wanted.count, links)
    start = time.perf_counter()
    expected = predict_plainly(links, work / "plain")
    print(f"lesion predict: {len(expected)} rows in {time.perf_counter() - start:.1f} s", flush=True)

    node = {"num_cpus": 2, "object_store_memory": STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    second = cluster.add_node(**node)
    ray.init(address=cluster.address, log_to_driver=False)
    print(f"{len(ray.nodes())} nodes, {ray.cluster_resources()['CPU']:.0f} processors", flush=True)
    alike, seconds = [], 0.0
    for output in outputs:
        output.mkdir()
        killing = kill_after(seconds / 2, cluster, second, output) if seconds else None
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
