"""Who gets in."""

import pytest

pytest.importorskip("streamlit")

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pipeline.app.door import Door


async def greet(request):
    return PlainTextResponse(f"in, {request.url.query}")


async def talk(socket):
    await socket.accept()
    await socket.send_text("in")
    await socket.close()


def client(token=None):
    routes = [Route("/", greet), Route("/_stcore/health", greet), WebSocketRoute("/stream", talk)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Door, token=token)]))


def talks(visitor, **headers) -> bool:
    try:
        with visitor.websocket_connect("/stream", headers=headers) as socket:
            return socket.receive_text() == "in"
    except WebSocketDisconnect:
        return False


def test_another_sites_page_gets_no_connection_and_nobody_is_asked_for_an_address(monkeypatch):
    def forbid(*_):
        raise AssertionError("asked the internet for this machine's address")

    monkeypatch.setattr("streamlit.net_util.get_external_ip", forbid)
    visitor = client()

    assert talks(visitor, origin="http://testserver")
    assert not talks(visitor, origin="http://evil.example")
    assert not talks(visitor, origin="null")


def test_without_the_token_nothing_is_shown():
    visitor = client("secret")

    assert visitor.get("/").status_code == 403
    assert visitor.get("/?token=wrong").status_code == 403
    assert not talks(visitor)
    assert visitor.get("/_stcore/health").status_code == 200


def test_the_token_is_given_once_and_leaves_the_address():
    visitor = client("secret")

    assert visitor.get("/?token=secret&page=2").text == "in, page=2"
    assert visitor.get("/").status_code == 200
    assert talks(visitor, origin="http://testserver")


def test_a_token_is_no_key_to_another_server():
    visitor = client("secret")
    visitor.cookies.set("lesion-token", "another")

    assert visitor.get("/").status_code == 403
