"""What an actor of the cluster does: rows with an image's bytes -> rows with its prediction."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.images import ImageError
from pipeline.bundle.loading import load_bundle
from pipeline.prediction.parquet import parquet_row, parquet_schema
from pipeline.prediction.predictor import LesionPipeline


@dataclass(frozen=True)
class ClusterSettings:
    """How a cluster predicts.

    Attributes
    ----------
    bundle : str, optional
        Folder of the bundle, at the same path on every node; by default the one that ships.
    tta : bool, optional
        As `LesionPipeline.load` takes it.
    actors : int, optional
        Processes that hold the models; by default one a processor of the cluster.
    batch : int
        Images that an actor gets together.
    """

    bundle: str | None = None
    tta: bool | None = None
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
        """The columns of `pipeline.prediction.parquet.parquet_schema`, and `error` where an image can't be used."""
        rows = [self._row(row["path"], row["bytes"]) for row in batch.select(["path", "bytes"]).to_pylist()]
        return pa.Table.from_pylist(rows, self._schema)

    def _row(self, name: str, content: bytes | None) -> dict[str, Any]:
        try:
            facts = self._pipeline.predict(content or b"").to_dict()
        except ImageError as error:
            return {"image": name, "error": str(error).replace("image:", f"{name}:", 1)}
        except Exception as error:  # one image never ends the work on the others
            return {"image": name, "error": f"{name}: can't be predicted ({type(error).__name__})."}
        return parquet_row(Path(name), facts, self._classes) | {"image": name}
