"""The server answers what it can, names what it can't, and refuses what is too much."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from data.images import ImageError
from pipeline.server.batching import Batcher, BusyError
from pipeline.server.settings import ServerSettings

testclient = pytest.importorskip("fastapi.testclient")
service = pytest.importorskip("pipeline.server.service")


@contextmanager
def client(pipeline, **settings) -> Iterator[object]:
    with testclient.TestClient(service.make_service(pipeline, ServerSettings(**settings))) as connected:
        yield connected


@pytest.fixture
def png(draw_disc) -> bytes:
    return cv2.imencode(".png", draw_disc((90, 30, 30))[:, :, ::-1])[1].tobytes()


def files(*contents: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("images", (f"{number}.png", content)) for number, content in enumerate(contents)]


def test_images_are_predicted_and_broken_ones_named(pipeline, png) -> None:
    with client(pipeline) as server:
        answer = server.post("/predict", files=files(png, b"no image", png))
    assert answer.status_code == 200
    first, broken, second = answer.json()["images"]
    assert first == {"image": "0.png", **pipeline.predict(png).to_dict()}
    assert broken["image"] == "1.png" and broken["error"].startswith("1.png: is not a JPEG")
    assert second["diagnosis"] == "mel"


def test_masks_come_where_they_are_asked_for(pipeline, png) -> None:
    with client(pipeline) as server:
        (entry,) = server.post("/predict?masks=true", files=files(png)).json()["images"]
    mask = cv2.imdecode(np.frombuffer(base64.b64decode(entry["mask"]), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert ((mask > 0) == pipeline.predict(png).mask).all()


def test_what_is_too_large_is_refused_before_it_is_read(pipeline, png) -> None:
    with client(pipeline, most_bytes=len(png) + 1000, most_images=2) as server:
        assert server.post("/predict", files=files(png)).status_code == 200
        assert server.post("/predict", files=files(png, png)).status_code == 413
        assert server.post("/predict", files=files(b"a", b"b", b"c")).status_code == 413
        form = {"Content-Type": "multipart/form-data; boundary=b"}
        start = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'
        endless = server.post("/predict", content=iter([start, *[b"x" * 1000] * 100]), headers=form)
        assert endless.status_code == 413
        assert server.post("/predict", files=files(png)).status_code == 200


def test_more_than_may_wait_is_refused_and_not_remembered(pipeline, png) -> None:
    with client(pipeline, most_waiting=2) as server:
        refused = server.post("/predict", files=files(png, png, png))
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert server.post("/predict", files=files(png, png)).status_code == 200
        assert 'lesion_refused_requests_total{reason="busy"} 1.0' in server.get("/metrics").text


def test_a_token_guards_all_but_the_health(pipeline, png) -> None:
    with client(pipeline, token="secret") as server:
        assert server.get("/v2/health/ready").json() == {"ready": True}
        for path in ("/metrics", "/docs", "/openapi.json"):
            assert server.get(path).status_code == 401
        wrong = server.post("/predict", files=files(png), headers={"Authorization": "Bearer secre"})
        right = server.post("/predict", files=files(png), headers={"Authorization": "Bearer secret"})
    assert (wrong.status_code, right.status_code) == (401, 200)


def test_what_takes_too_long_is_refused(pipeline, png, monkeypatch) -> None:
    monkeypatch.setattr(Batcher, "predict", lambda *_: asyncio.sleep(60))
    with client(pipeline, seconds=0.05) as server:
        assert server.post("/predict", files=files(png)).status_code == 503


def test_metrics_count_the_images(pipeline, png) -> None:
    with client(pipeline) as server:
        server.post("/predict", files=files(png, b"no image"))
        figures = server.get("/metrics").text
    assert 'lesion_images_total{outcome="predicted"} 1.0' in figures
    assert 'lesion_images_total{outcome="failed"} 1.0' in figures
    assert "lesion_images_under_way 0.0" in figures


def test_images_of_many_requests_are_answered_each_with_its_own(pipeline, draw_disc) -> None:
    contents = [
        cv2.imencode(".png", draw_disc(radius=20 + number))[1].tobytes() if number % 5 else b"broken"
        for number in range(40)
    ]

    async def ask_all() -> list[object]:
        batcher = Batcher(pipeline, most_waiting=40)
        answers = await asyncio.gather(*(batcher.predict([content]) for content in contents))
        assert batcher.under_way == 0
        with pytest.raises(BusyError):
            await batcher.predict([b""] * 41)
        batcher.close()
        return [answer for (answer,) in answers]

    for content, answer in zip(contents, asyncio.run(ask_all()), strict=True):
        if content == b"broken":
            assert isinstance(answer, ImageError)
        else:
            assert answer.to_dict() == pipeline.predict(content).to_dict()
