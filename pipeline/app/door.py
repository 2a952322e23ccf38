"""Access to the page: for pages of this server's own address and, where a token was given, those who know it."""

import secrets
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "lesion-token"
# It says whether the server runs, and nothing about what it holds.
OPEN_PATH = "/_stcore/health"
REFUSAL = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Lesion</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;"
    "max-width:36rem;margin:3rem auto;padding:0 1rem}</style><main><h1>Lesion</h1><p>This page opens with its "
    "whole address, the token included, as <code>lesion app</code> prints it.</p></main></html>"
)


class Door:
    """Turns away connections that another site's page opens, and requests without the token where one is set.

    The token comes once, as `?token=` of the address, and stays in the browser as a cookie that no script can read.
    Streamlit's own check of a foreign origin asks a server on the internet for this machine's address; here it never
    gets so far.
    """

    def __init__(self, app: ASGIApp, token: str | None = None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request or connection through, or answer it here."""
        if scope["type"] == "websocket" and not (_of_own_page(scope) and self._is_known(scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and not self._is_known(scope):
            await self._answer(scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        if self._token is None or scope["path"] == OPEN_PATH:
            return True
        cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
        return COOKIE in cookies and secrets.compare_digest(cookies[COOKIE].value, self._token)

    def _answer(self, scope: Scope) -> HTMLResponse | RedirectResponse:
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        given = dict(query).get("token", "")
        if self._token is None or not secrets.compare_digest(given.encode(), self._token.encode()):
            return HTMLResponse(REFUSAL, status_code=403)
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        answer = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), status_code=303)
        answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
        return answer


def _of_own_page(scope: Scope) -> bool:
    """Whether a connection comes from a page of this server; programs that are no browser name no origin."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
