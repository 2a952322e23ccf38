"""An actor of a cluster says of an image's bytes what `lesion predict` says of its file."""

import cv2
import pytest

pa = pytest.importorskip("pyarrow")
from pipeline.prediction.parquet import parquet_row  # noqa: E402
from pipeline.scale.actor import ClusterSettings, Predictor  # noqa: E402


@pytest.fixture(scope="module")
def predictor(bundle_folder) -> Predictor:
    return Predictor(ClusterSettings(str(bundle_folder)))


def test_rows_are_those_of_predict(predictor, pipeline, draw_disc) -> None:
    pngs = [cv2.imencode(".png", draw_disc(radius=radius))[1].tobytes() for radius in (40, 60)]
    names = ["bucket/a.png", "bucket/b.png"]
    rows = predictor(pa.table({"path": names, "bytes": pngs, "more": [1, 2]})).to_pylist()
    classes = pipeline.bundle.classes
    for row, name, png in zip(rows, names, pngs, strict=True):
        assert row == parquet_row(name, pipeline.predict(png).to_dict(), classes) | {"error": None}


def test_what_can_not_be_used_has_an_error_and_its_name(predictor, draw_disc) -> None:
    good = cv2.imencode(".png", draw_disc())[1].tobytes()
    table = pa.table({"path": ["a", "b", "c"], "bytes": pa.array([b"no image", None, good], pa.binary())})
    broken, missing, predicted = predictor(table).to_pylist()
    assert broken["error"].startswith("a: is not a JPEG") and broken["diagnosis"] is None
    assert missing["image"] == "b" and missing["error"].startswith("b: ")
    assert predicted["error"] is None and predicted["diagnosis"]


def test_a_batch_without_images_keeps_its_columns(predictor) -> None:
    nothing = pa.table({"path": pa.array([], pa.string()), "bytes": pa.array([], pa.binary())})
    assert {"image", "diagnosis", "error"} <= set(predictor(nothing).column_names)
