"""Images from a folder, an object store or Parquet -> Parquet files of predictions, by the actors of a Ray cluster."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray
import ray.data

from data.images import ImageError
from pipeline.bundle.loading import load_bundle
from pipeline.prediction.parquet import parquet_row, parquet_schema
from pipeline.prediction.predictor import LesionPipeline

# Actors that took all processors would leave none to the tasks that read and write, and Ray would wait for ever
# (ray-project/ray#44687).
RESERVED_CPUS = 1


@dataclass(frozen=True)
class ClusterSettings:
    """How a cluster predicts.

    Attributes
    ----------
    bundle : str, optional
        Folder of the bundle, at the same path on every node; by default the one that ships.
    tta : bool
        As `LesionPipeline.load` takes it.
    actors : int, optional
        Processes that hold the models; by default one a processor of the cluster, without those that are reserved.
    batch : int
        Images that an actor gets together.
    """

    bundle: str | None = None
    tta: bool = False
    actors: int | None = None
    batch: int = 32


class Predictor:
    """An actor: it loads the models once, and predicts batches of rows with the columns `bytes` and `path`."""

    def __init__(self, settings: ClusterSettings) -> None:
        bundle = load_bundle(settings.bundle)
        self._pipeline = LesionPipeline.load(bundle, 1, tta=settings.tta)
        self._classes = bundle.classes
        self._schema = parquet_schema(bundle.classes).append(pa.field("error", pa.string()))

    def __call__(self, batch: pa.Table) -> pa.Table:
        rows = [self._row(row["path"], row["bytes"]) for row in batch.select(["path", "bytes"]).to_pylist()]
        return pa.Table.from_pylist(rows, self._schema)

    def _row(self, name: str, content: bytes) -> dict[str, Any]:
        try:
            facts = self._pipeline.predict(content).to_dict()
        except ImageError as error:
            return {"image": name, "error": str(error).replace("image:", f"{name}:", 1)}
        except Exception as error:  # one image never ends the work on the others
            return {"image": name, "error": f"{name}: can't be predicted ({type(error).__name__})."}
        return parquet_row(Path(name), facts, self._classes) | {"image": name}


def predict_on_cluster(source: str, output: str, settings: ClusterSettings, parquet: bool = False) -> None:
    """Predict all images of a source on the cluster that Ray is connected to.

    An actor or node that dies loses nothing: Ray does its batches again elsewhere.

    Parameters
    ----------
    source : str
        A folder or a URI (`s3://...`) of image files; with `parquet`, of Parquet files with the columns `bytes`
        and `path`.
    output : str
        A folder or a URI for the Parquet files, which every node must reach: the columns of
        `pipeline.prediction.parquet.parquet_schema`, and `error` where an image could not be used.
    settings : ClusterSettings
    parquet : bool
    """
    if parquet:
        images = ray.data.read_parquet(source, columns=["bytes", "path"])
    else:
        suffixes = ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"]
        images = ray.data.read_binary_files(source, include_paths=True, file_extensions=suffixes)
    processors = int(ray.cluster_resources().get("CPU", 1))
    actors = settings.actors or max(1, processors - RESERVED_CPUS)
    images.map_batches(
        Predictor,
        fn_constructor_args=(settings,),
        batch_format="pyarrow",
        batch_size=settings.batch,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors),
        num_cpus=1,
        max_restarts=-1,
        max_task_retries=-1,
    ).write_parquet(output)
