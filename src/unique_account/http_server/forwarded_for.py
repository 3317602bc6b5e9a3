"""Counts what comes through proxies by the address that they say it is from."""

from __future__ import annotations

from collections import Counter

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from unique_account.http_server.connection_limit import Limits
from unique_account.http_server.networks import network


class ForwardedFor:
    """Refuses requests and WebSockets of an address that has as many under way as it may have.

    Args:
        app: What serves the others.
        limits: How many these are.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._sources: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one."""
        address = scope["client"][0] if scope.get("client") else ""
        if address in self._limits.proxies:
            await self._app(scope, receive, send)
        elif self._sources[source := network(address)] >= self._limits.of_address:
            await _refused(scope)(scope, receive, send)
        else:
            await self._counted(source, scope, receive, send)

    async def _counted(self, source: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._sources[source] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._sources[source] -= 1
            if not self._sources[source]:
                del self._sources[source]


def _refused(scope: Scope) -> ASGIApp:
    if scope["type"] == "websocket":
        return WebSocketClose()
    sentence = "too many connections from your address; try again"
    return PlainTextResponse(sentence, 503, {"Connection": "close"})
