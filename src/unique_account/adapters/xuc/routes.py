"""The URLs of the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from unique_account.adapters.xuc.auth.origins import may_connect
from unique_account.adapters.xuc.hub import Hub
from unique_account.adapters.xuc.login_endpoints import Denied, LoginEndpoints
from unique_account.adapters.xuc.protocol.error_messages import ErrorId
from unique_account.adapters.xuc.transport.rate_limit import EntryRateLimit
from unique_account.adapters.xuc.websocket import serve
from unique_account.http_server.connection_limit import Limits
from unique_account.http_server.forwarded_for import ForwardedFor
from unique_account.ports.login_attempts import LoginAttempts

ROOT: Final = "/xuc/api/2.0"

_Endpoint = Callable[[Request], Awaitable[Response]]


def application(
    hub: Hub, limits: Limits, page: ASGIApp | None = None, attempts: LoginAttempts | None = None
) -> ASGIApp:
    """The server as an ASGI application.

    Args:
        hub: The users at the server.
        limits: How many connections one address may have, behind proxies too.
        page: The application at all other addresses; None: there is none.
        attempts: The attempts to log in at all processes; None: there is only this one.
    """
    routes = _routes(hub, attempts)
    if page is not None:
        routes.append(Mount("/", page))
    limiter, origins = Middleware(ForwardedFor, limits=limits), _origins(hub)
    return Starlette(routes=routes, middleware=[limiter, _cors(origins)] if origins else [limiter])


def _routes(hub: Hub, attempts: LoginAttempts | None) -> list[BaseRoute]:
    endpoints, entry_limit, origins = LoginEndpoints(hub, attempts), EntryRateLimit(), _origins(hub)

    async def cti(socket: WebSocket) -> None:
        if may_connect(socket, origins):
            await serve(hub, entry_limit, socket)
        else:
            await socket.close()  # before it was accepted: a 403

    return [
        Route(f"{ROOT}/auth/login", _for_origins(origins, endpoints.log_in), methods=["POST"]),
        Route(f"{ROOT}/auth/check", _for_origins(origins, endpoints.check), methods=["GET"]),
        Route(f"{ROOT}/auth/logout", _for_origins(origins, endpoints.log_out), methods=["POST"]),
        WebSocketRoute(f"{ROOT}/cti", cti),
    ]


def _origins(hub: Hub) -> Collection[str]:
    """The origins that may connect besides the server's own: of the settings, and of other processes."""
    others = () if hub.processes is None else hub.processes.addresses
    return (*hub.settings.origins, *others)


def _for_origins(origins: Collection[str], endpoint: _Endpoint) -> _Endpoint:
    """An endpoint that refuses pages of other origins."""

    async def checked(request: Request) -> Response:
        if may_connect(request, origins):
            return await endpoint(request)
        sentence = "pages of this origin may not connect"
        return Denied(403, "InvalidCredentials", sentence, ErrorId.WRONG_ORIGIN).response()

    return checked


def _cors(origins: Iterable[str]) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
    )
