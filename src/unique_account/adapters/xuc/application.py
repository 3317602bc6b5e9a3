"""The addresses that the server answers at, and whose pages may use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from unique_account.adapters.xuc.conversation import serve
from unique_account.adapters.xuc.logins import Denied, Logins
from unique_account.adapters.xuc.office import Office

ROOT: Final = "/xuc/api/2.0"

_Answer = Callable[[Request], Awaitable[Response]]


def application(office: Office, page: ASGIApp | None = None) -> ASGIApp:
    """The server as an ASGI application.

    Args:
        office: What it serves.
        page: What answers at all other addresses; None: nothing does.
    """
    logins, origins = Logins(office), office.settings.origins

    async def cti(socket: WebSocket) -> None:
        if _may(socket, origins):
            await serve(office, socket)
        else:
            await socket.close()  # before it was accepted: a 403

    def of_origins(answer: _Answer) -> _Answer:
        async def checked(request: Request) -> Response:
            if _may(request, origins):
                return await answer(request)
            return Denied(403, "InvalidCredentials", "pages of this origin may not connect").response()

        return checked

    routes: list[BaseRoute] = [
        Route(f"{ROOT}/auth/login", of_origins(logins.log_in), methods=["POST"]),
        Route(f"{ROOT}/auth/check", of_origins(logins.check), methods=["GET"]),
        Route(f"{ROOT}/auth/logout", of_origins(logins.log_out), methods=["POST"]),
        WebSocketRoute(f"{ROOT}/cti", cti),
    ]
    if page is not None:
        routes.append(Mount("/", page))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
    )
    return Starlette(routes=routes, middleware=[cors] if origins else [])


def _may(connection: HTTPConnection, origins: tuple[str, ...]) -> bool:
    """Whether a page of this origin may connect; without one it is no page of a browser."""
    origin = connection.headers.get("origin")
    if origin is None or origin in origins:
        return True
    return urlsplit(origin).netloc == connection.headers.get("host")
