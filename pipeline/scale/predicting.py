"""Images from a folder, an object store or Parquet -> Parquet files of predictions, by the actors of a Ray cluster."""

from typing import Any

import ray
import ray.data

from pipeline.scale.actor import ClusterSettings, Predictor
from pipeline.scale.locations import locate, locate_empty

SUFFIXES = ("jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp")

# Actors that took all processors would leave none to the tasks that read and write, and Ray would wait for ever
# (ray-project/ray#44687). A processor that is set aside does not help when its node dies and the actors move to the
# others: so these tasks, which mostly wait for disks and networks, ask for none.
WITHOUT_PROCESSOR: dict[str, Any] = {"num_cpus": 0, "max_retries": -1}
READERS = 4


def predict_on_cluster(source: str, output: str, settings: ClusterSettings, parquet: bool = False) -> None:
    """Predict all images of a source on the cluster that Ray is connected to.

    An actor or node that dies loses nothing: Ray does its batches again elsewhere.

    Parameters
    ----------
    source : str
        A folder or a URI of image files, as `pipeline.scale.locations.locate` takes it; with `parquet`, of Parquet
        files with the columns `bytes` and `path`.
    output : str
        A folder or a URI for the Parquet files, without any yet, which every node must reach: the columns of
        `pipeline.prediction.parquet.parquet_schema`, and `error` where an image could not be used.
    settings : ClusterSettings
    parquet : bool

    Raises
    ------
    LocationError
    """
    come_from, go_to = locate(source), locate_empty(output)
    reading: dict[str, Any] = {
        "filesystem": come_from.filesystem,
        "ray_remote_args": WITHOUT_PROCESSOR,
        "concurrency": READERS,
    }
    if parquet:
        images = ray.data.read_parquet(come_from.path, columns=["bytes", "path"], **reading)
    else:
        images = ray.data.read_binary_files(
            come_from.path, include_paths=True, file_extensions=list(SUFFIXES), **reading
        )
    processors = int(ray.cluster_resources().get("CPU", 1))
    predictions = images.map_batches(
        Predictor,
        fn_constructor_args=(settings,),
        batch_format="pyarrow",
        batch_size=settings.batch,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=settings.actors or processors),
        num_cpus=1,
        max_restarts=-1,
        max_task_retries=-1,
    )
    predictions.write_parquet(go_to.path, filesystem=go_to.filesystem, ray_remote_args=WITHOUT_PROCESSOR)
