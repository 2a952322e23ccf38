"""A Ray cluster of two nodes on this machine, of which one is killed midway. Run by hand, with the extra `scale`:

    python tests/benchmarks/cluster.py IMAGES 1000 --work /tmp/cluster

Links to as many images of a folder, one of them broken, are predicted by `pipeline.scale` on two nodes of two
processors each. When the first predictions were written, all processes of the second node are killed. The table must
then be that of `lesion predict --format parquet`, each image once. Ends with status 1 where it is not.
"""

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
import ray
from killed_runs import BROKEN, make_links
from ray.cluster_utils import Cluster

from pipeline.scale.actor import ClusterSettings
from pipeline.scale.predicting import predict_on_cluster

STORE_BYTES = 200 * 2**20


def kill_when_started(cluster: Cluster, node: object, output: Path, after: float) -> threading.Thread:
    """Kill a node, so many seconds after the first predictions were written or, where `after` is 0, at once then."""

    def wait_and_kill() -> None:
        start = time.perf_counter()
        while not list(output.glob("*.parquet")) and time.perf_counter() - start < after:
            time.sleep(0.1)
        cluster.remove_node(node, allow_graceful=False)
        written = sum(pq.read_metadata(path).num_rows for path in output.glob("*.parquet"))
        print(
            f"node killed after {time.perf_counter() - start:.1f} s, {written} rows written by then",
            flush=True,
        )

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    return thread


def predict_plainly(links: Path, output: Path) -> dict[str, dict[str, object]]:
    words = ["-m", "pipeline", "predict", links, "--output", output, "--no-pictures", "--format", "parquet"]
    subprocess.run([sys.executable, *map(str, words)], check=False, capture_output=True)
    rows = pq.read_table(output / "predictions").to_pylist()
    return {Path(row["image"]).name: {**row, "image": None} for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    parser.add_argument("--kill-after", type=float, default=60.0, help="seconds, at the latest")
    wanted = parser.parse_args()
    links, output = (wanted.work / "links").absolute(), (wanted.work / "cluster").absolute()
    make_links(wanted.images, wanted.count, links)
    output.mkdir()
    start = time.perf_counter()
    expected = predict_plainly(links, wanted.work / "plain")
    print(f"lesion predict: {len(expected)} rows in {time.perf_counter() - start:.1f} s", flush=True)

    node = {"num_cpus": 2, "object_store_memory": STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    second = cluster.add_node(**node)
    ray.init(address=cluster.address)
    print(f"{len(ray.nodes())} nodes, {ray.cluster_resources()['CPU']:.0f} processors", flush=True)
    start = time.perf_counter()
    killing = kill_when_started(cluster, second, output, wanted.kill_after)
    predict_on_cluster(str(links), str(output), ClusterSettings())
    print(f"pipeline.scale: {time.perf_counter() - start:.1f} s", flush=True)
    killing.join()

    rows = pq.read_table(output).to_pylist()
    failed = [row for row in rows if row["error"]]
    found = {Path(row["image"]).name: row for row in rows if not row["error"]}
    same = {name: {**row, "image": None} for name, row in found.items()}
    for row in same.values():
        del row["error"]
    print(f"{len(rows)} rows of {len(set(found)) + len(failed)} images, {len(failed)} failed")
    alike = same == expected and len(rows) == len(expected) + 1
    alike = alike and [Path(row["image"]).name for row in failed] == [BROKEN]
    print("the same as lesion predict" if alike else "NOT the same as lesion predict")
    ray.shutdown()
    cluster.shutdown()
    sys.exit(not alike)


if __name__ == "__main__":
    main()
