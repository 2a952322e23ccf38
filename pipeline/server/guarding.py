"""What a request must be before anything of it is read: from somebody who may, and not too large."""

import hmac
import json
from typing import Any

from pipeline.server.settings import ServerSettings

OPEN_PATHS = frozenset({"/v2/health/live", "/v2/health/ready"})


# So many of the largest requests are held in memory at a time, whatever waits besides.
REQUESTS_HELD = 4

BUSY = "too many images are waiting; try again in a moment."


class RefusedError(Exception):
    """A body that is refused while it comes."""


class Guard:
    """An ASGI application before another one, which lets no wrong token and no oversized body through.

    A body is counted as it comes, so that a wrong `Content-Length`, or none, lets no more in.
    """

    def __init__(self, app: Any, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings
        self._held = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if scope["path"] not in OPEN_PATHS and not self._may(headers.get(b"authorization", b"")):
            await _refuse(send, 401, "give the server's token as Authorization: Bearer <token>.")
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._settings.most_bytes:
            await _refuse(send, 413, self._too_large())
            return
        await self._counting(scope, receive, send)

    def _may(self, given: bytes) -> bool:
        token = self._settings.token
        return not token or hmac.compare_digest(given, f"Bearer {token}".encode())

    def _too_large(self) -> str:
        return f"a request may have {self._settings.most_bytes / 2**20:g} MB; send fewer or smaller images."

    async def _counting(self, scope: Any, receive: Any, send: Any) -> None:
        received, status = 0, 0

        async def counted() -> Any:
            nonlocal received, status
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            self._held += size
            if received > self._settings.most_bytes:
                status = 413
            elif self._held > REQUESTS_HELD * self._settings.most_bytes:
                status = 429
            if status:
                raise RefusedError
            return message

        async def noted(message: Any) -> None:
            if not status:  # else the application answers that the body ended too early
                await send(message)

        try:
            await self._app(scope, counted, noted)
        except RefusedError:
            pass
        finally:
            self._held -= received
        if status:
            await _refuse(send, status, self._too_large() if status == 413 else BUSY)


async def _refuse(send: Any, status: int, reason: str) -> None:
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == 429:
        headers.append((b"retry-after", b"1"))
    if status in {413, 429}:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
