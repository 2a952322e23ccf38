"""The server's addresses: predictions, health, metrics, and their description."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, File, HTTPException, Query, Response, UploadFile
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.formparsers import MultiPartParser

from pipeline.prediction.predictor import LesionPipeline
from pipeline.reports.pictures import encoded
from pipeline.server.batching import Answer, Batcher, BusyError
from pipeline.server.guarding import BUSY, Guard
from pipeline.server.settings import ServerSettings

DISCLAIMER = "For research and teaching; not a medical device."


class Metrics:
    """What Prometheus asks for."""

    def __init__(self, batcher: Batcher) -> None:
        self.registry = CollectorRegistry()
        self.images = Counter(
            "lesion_images", "Images by what came out.", ["outcome"], registry=self.registry
        )
        self.seconds = Histogram(
            "lesion_request_seconds", "Time of a request for predictions.", registry=self.registry
        )
        self.refused = Counter(
            "lesion_refused_requests", "Requests that were refused.", ["reason"], registry=self.registry
        )
        waiting = Gauge(
            "lesion_images_under_way", "Images that wait or are worked on.", registry=self.registry
        )
        waiting.set_function(lambda: batcher.under_way)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self.registry)


def make_service(pipeline: LesionPipeline, settings: ServerSettings) -> Guard:
    """The server as an ASGI application; it keeps what it is sent in memory and off the disk."""
    MultiPartParser.spool_max_size = settings.most_bytes + 1
    batcher = Batcher(pipeline, settings.most_waiting)
    metrics = Metrics(batcher)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        yield
        batcher.close()

    app = FastAPI(title="Lesion", description=DISCLAIMER, lifespan=running)

    @app.post("/predict", responses={429: {}, 413: {}, 503: {}, 401: {}})
    async def predict(
        images: Annotated[list[UploadFile], File(description="Image files.")],
        masks: Annotated[bool, Query(description="Whether masks come along, as PNG in base64.")] = False,
    ) -> dict[str, Any]:
        """Find, crop and name the lesion in every image; one that can't be used has an `error`."""
        if len(images) > settings.most_images:
            raise HTTPException(413, f"a request may have {settings.most_images} images; send fewer.")
        contents = [await image.read() for image in images]
        with metrics.seconds.time():
            answers = await _answers(batcher, contents, settings, metrics)
        names = [image.filename or "image" for image in images]
        return {
            "bundle": pipeline.bundle.name,
            "images": [
                _entry(name, answer, masks, metrics) for name, answer in zip(names, answers, strict=True)
            ],
        }

    @app.get("/v2/health/live")
    @app.get("/v2/health/ready")
    async def ready() -> dict[str, bool]:
        """The models are loaded."""
        return {"ready": True}

    @app.get("/metrics")
    async def figures() -> Response:
        """Figures for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return Guard(app, settings)


async def _answers(
    batcher: Batcher, contents: list[bytes], settings: ServerSettings, metrics: Metrics
) -> list[Answer]:
    try:
        return await asyncio.wait_for(batcher.predict(contents), settings.seconds)
    except BusyError:
        metrics.refused.labels("busy").inc()
        raise HTTPException(429, BUSY, {"Retry-After": "1"}) from None
    except TimeoutError:
        metrics.refused.labels("timeout").inc()
        raise HTTPException(503, f"it took longer than {settings.seconds:g} s; send fewer images.") from None


def _entry(name: str, answer: Answer, masks: bool, metrics: Metrics) -> dict[str, Any]:
    if isinstance(answer, Exception):
        metrics.images.labels("failed").inc()
        return {"image": name, "error": str(answer).replace("image:", f"{name}:", 1)}
    metrics.images.labels("predicted").inc()
    entry = {"image": name, **answer.to_dict()}
    if masks:
        mask = encoded(answer.mask.view(np.uint8) * 255, ".png")
        entry["mask"] = base64.b64encode(mask).decode()
    return entry
